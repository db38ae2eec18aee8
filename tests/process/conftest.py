"""Real workers in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client

from jobqueue import ids, payload
from jobqueue.payload import Job
from jobqueue.store.pushing import push
from tests.workload import LEDGER

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 60.0
GUARDIAN = "jobworker (resque-3): Guarding"
SCHEDULER = "jobworker (resque-3): Scheduling"
Mode = tuple[str, ...]
LONG_LIVED: Mode = ()
FORKING = ("--jobs-per-fork", "1")
THREADS = ("--threads", "1")
ASYNC = ("--async", "1")
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""The environment of a worker that forks hundreds of times: measuring coverage takes 0.1 s each time."""
NAMES = {LONG_LIVED: "long-lived", FORKING: "forking", THREADS: "threads", ASYNC: "async"}


def modes(*some: Mode) -> pytest.MarkDecorator:
    """Give a test some modes of a worker."""
    return pytest.mark.parametrize("mode", some, ids=[NAMES.get(mode) or " ".join(mode) for mode in some])


MODES = modes(*NAMES)
MIXED: list[Mode] = [LONG_LIVED, FORKING, ("--threads", "4"), ("--async", "4")]
"""The modes again, with several jobs at a time where there can be."""
SEVERAL = modes(*MIXED)
IN_WORKER = modes(LONG_LIVED, THREADS, ASYNC)
"""Those where jobs run in the process of their worker."""


def wait_for(condition: Callable[[], Any], what: str = "", seconds: float = DEADLINE_SECONDS) -> Any:
    """Return what ``condition`` returns once that is true; fail at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what or condition}"
        time.sleep(0.01)


class Jobworker:
    """One ``manage.py jobworker`` in a process group of its own, with its log."""

    def __init__(
        self,
        log: Path,
        options: tuple[str, ...],
        environ: dict[str, str],
        cwd: Path,
        command: str = "jobworker",
    ) -> None:
        self.log_path = log
        self._command = command
        own = {"DJANGO_SETTINGS_MODULE": "tests.workload.settings", "PYTHONPATH": str(ROOT), "PWD": str(cwd)}
        self._environ = {**os.environ, **own, **environ}
        self._options = options
        self._cwd = cwd
        self.start()

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "django", self._command, *self._options],
                cwd=self._cwd,
                env=self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The supervisor's."""
        return self.process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def workers(self) -> list[int]:
        """The pids of the worker processes alive now."""
        return [pid for pid in children(self.pid) if not title(pid).startswith((GUARDIAN, SCHEDULER))]

    def guardians(self) -> list[int]:
        """The pids of the guardians alive now."""
        return [pid for pid in members(self.pid) if title(pid).startswith(GUARDIAN)]

    def schedulers(self) -> list[int]:
        """The pids of the schedulers alive now."""
        # Their supervisor has the same title for a moment, which they are born with
        return [pid for pid in children(self.pid) if title(pid).startswith(SCHEDULER)]

    def wait_until_idle(self, workers: int = 1) -> None:
        """Wait until so many workers of its own wait for jobs."""
        wait_for(lambda: sum("Waiting for" in title(pid) for pid in self.workers()) == workers)

    def signal(self, number: int) -> None:
        """Signal the supervisor alone."""
        os.kill(self.pid, number)

    def signal_one(self, pid: int, number: int) -> None:
        """Signal one of the workers."""
        os.kill(pid, number)

    def wait_until_passed_on(self) -> None:
        """Wait until the workers have what the supervisor was told before: it asks for stacks only then."""
        self.signal(signal.SIGTTIN)
        wait_for(lambda: "stacks of worker" in self.log)

    def signal_all(self, number: int) -> None:
        """Signal the whole group, as a terminal does."""
        os.killpg(self.pid, number)

    def wait(self, seconds: float = DEADLINE_SECONDS) -> int:
        return self.process.wait(seconds)

    def destroy(self) -> None:
        """End whatever is left of the group, so that the next test meets nothing of it in Redis."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not members(self.pid), "the end of the group")


def children(pid: int) -> list[int]:
    """Return the pids of a process's living children."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [int(child) for child in listed if state(int(child)) != "Z"]


def members(group: int) -> list[int]:
    """Return the pids of a process group's living members."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            kind, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(process_group) == group and kind != "Z":
                found.append(int(stat.parent.name))
    return found


def title(pid: int) -> str:
    """Return what ``ps`` shows of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def state(pid: int) -> str:
    """Return a process's state letter, "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture
def jobworker(redis: redis_client.Redis, tmp_path: Path) -> Iterator[Callable[..., Jobworker]]:
    """Yield a function that starts ``jobworker`` with options; all of them are ended with the test.

    Without a scheduler, which waits at a doorbell as workers do, unless a test asks for one.
    """
    started: list[Jobworker] = []

    def start(*options: str, cwd: Path = ROOT, scheduler: bool = False, **environ: str) -> Jobworker:
        options = options if scheduler else (*options, "--no-scheduler")
        started.append(Jobworker(tmp_path / f"worker-{len(started)}.log", options, environ, cwd))
        return started[-1]

    yield start
    for each in started:
        each.destroy()
        sys.stdout.write(f"--- log of {each.pid}\n{each.log[-6000:]}\n")


@pytest.fixture
def jobscheduler(redis: redis_client.Redis, tmp_path: Path) -> Iterator[Callable[..., Jobworker]]:
    """Yield a function that starts ``jobscheduler``; all of them are ended with the test."""
    started: list[Jobworker] = []

    def start(**environ: str) -> Jobworker:
        log = tmp_path / f"scheduler-{len(started)}.log"
        started.append(Jobworker(log, (), environ, ROOT, "jobscheduler"))
        return started[-1]

    yield start
    for each in started:
        each.destroy()
        sys.stdout.write(f"--- log of {each.pid}\n{each.log[-6000:]}\n")


def waits(redis: redis_client.Redis) -> int:
    """Tell how many clients wait at doorbells."""
    return sum("b" in each["flags"] for each in redis.client_list())


def own_keys(redis: redis_client.Redis) -> list[str]:
    """Return what is left besides Resque's lasting keys, and what fades by itself within a minute."""
    names = {key.decode() for key in redis.keys("resque:*")}
    lasting = {"resque:queues", "resque:stat:processed", "resque:stat:failed", "resque:failed"}
    # One that has faded meanwhile is answered with -2, one that never does with -1
    return [name for name in sorted(names - lasting) if (seconds := redis.ttl(name)) == -1 or seconds > 60]


def full_name(name: str, mode: Mode = ()) -> str:
    """Return the name of a job of tests/workload/jobs.py, or of its asynchronous twin for an event loop."""
    return f"tests.workload.{'awaiting' if '--async' in mode else 'jobs'}.{name}"


def enqueue(name: str, *args: Any, queue: str = "work", mode: Mode = ()) -> None:
    """Enqueue such a job, which only the workers' processes import."""
    push(queue, [payload.encode(Job(full_name(name, mode), list(args), id=ids.new_id()))])


class Ledger:
    """What the jobs themselves have told, outside of jobqueue's own records."""

    def __init__(self, client: redis_client.Redis) -> None:
        self._client = client

    def lines(self) -> list[str]:
        return [line.decode() for line in self._client.lrange(LEDGER, 0, -1)]

    def tell(self, word: str) -> None:
        """Let jobs go on that wait for a word."""
        self._client.set(word, 1)

    def wait_for(self, line: str) -> None:
        wait_for(lambda: line in self.lines(), f"{line!r} in the ledger")


@pytest.fixture
def ledger(redis: redis_client.Redis) -> Ledger:
    return Ledger(redis)
