"""One queue at work: its Redis, its processes, and the account of what they have performed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from benchmarks.peers.queues import Peer
from benchmarks.processes import tree

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.002
BOOT_SECONDS = 60
LEAVE_SECONDS = 15


class Stalled(Exception):  # noqa: N818 - what a queue did
    """A queue performed nothing for too long."""


class Site:
    """The processes of one queue; everything of it is gone when it is closed."""

    def __init__(self, peer: Peer, url: str, folder: Path) -> None:
        self.peer = peer
        self._account = folder / "account"
        self._account.write_bytes(b"")
        database = (
            {"BENCH_DATABASE": str(folder / "django-q.sqlite3")} if "BENCH_DATABASE" in peer.environ else {}
        )
        own = {"REDIS_URL": url, "BENCH_ACCOUNT": str(self._account), "PYTHONPATH": str(ROOT)}
        self._environ = {**os.environ, **peer.environ, **own, **database}
        self._environ.setdefault("PYTHONUNBUFFERED", "1")
        self._log = (folder / "log").open("ab")
        self._processes: list[subprocess.Popen[bytes]] = []

    def enqueue(self, kind: str, count: int) -> None:
        command = [*self.peer.enqueue, kind, str(count)]
        subprocess.run(command, cwd=ROOT, env=self._environ, check=True, stdout=self._log, stderr=self._log)

    def start(self) -> None:
        self._processes = [self._start(command) for command in self.peer.workers]

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    @property
    def size(self) -> int:
        """How many bytes the jobs have written."""
        return self._account.stat().st_size

    def lines(self) -> list[str]:
        return self._account.read_text().splitlines()

    def wait_for(self, condition: Callable[[], bool], seconds: float = BOOT_SECONDS) -> None:
        """Wait for something; raise Stalled if nothing is performed for so long."""
        size, until = self.size, time.monotonic() + seconds
        while not condition():
            if self.size != size:
                size, until = self.size, time.monotonic() + seconds
            if time.monotonic() > until:
                raise Stalled(f"{self.peer.name} has performed nothing for {seconds:g} s")
            time.sleep(POLL_SECONDS)

    def pids(self) -> list[int]:
        """Return all processes, children behind their parents."""
        return [pid for process in self._processes if process.poll() is None for pid in _tree(process.pid)]

    def restart(self) -> None:
        """Start anew what has ended."""
        ended = [place for place, process in enumerate(self._processes) if process.poll() is not None]
        for place in ended:
            self._processes[place] = self._start(self.peer.workers[place])

    def busy(self) -> int:
        """Return the pid of a process that performs a job; 0 if none does."""
        lines = [line.split() for line in self.lines()]
        ended = {words[1] for words in lines if words[0] == "ended"}
        pids = [int(words[3]) for words in lines if len(words) == 4 and words[1] not in ended]
        return pids[-1] if pids else 0

    def kill(self) -> None:
        """Kill every process at once."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            process.wait()

    def close(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            for process in self._processes:
                process.wait(LEAVE_SECONDS)
        self.kill()
        self._log.close()


def _tree(pid: int) -> list[int]:
    """Return a process and its descendants, though some may end meanwhile."""
    while True:
        with suppress(FileNotFoundError, ProcessLookupError):
            return tree(pid)
        if not Path(f"/proc/{pid}").exists():
            return []


@contextmanager
def site(peer: Peer, url: str, folder: Path) -> Iterator[Site]:
    """Yield a queue on an empty Redis; its folder has to be its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with redis.Redis.from_url(url) as client:
        client.flushall()
    found = Site(peer, url, folder)
    try:
        yield found
    finally:
        found.close()
