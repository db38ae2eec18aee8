"""How many jobs a kill -9 in the middle of batches repeats, and whether it loses any."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.ground import BULK, Ground, jobworker, processes
from benchmarks.jobs import LEDGER, LINE_BYTES, QUEUE, count_itself
from benchmarks.processes import tree, workers_of
from benchmarks.report import print_table
from benchmarks.targets import at_most, print_verdicts
from jobqueue import registry
from jobqueue.batchsize import MOST
from jobqueue.ids import new_id
from jobqueue.keys import to_text
from jobqueue.link import Link
from jobqueue.payload import Job, encode
from jobqueue.recovery import SilentRun
from jobqueue.store import runs
from jobqueue.store.pushing import push

KILLS = 25
PERFORMED_BEFORE = 2_000
"""A process has performed so many jobs before it is killed."""
ENOUGH = 100_000
"""So many jobs stand in the queue at least when one is killed."""
LIFE_SECONDS = 1.0
"""A worker that dies within its first second would be started again with a pause."""
METHOD = """\
{kills} times a worker is killed with `kill -9` at a random moment while it performs jobs that do nothing but
count themselves in a file, which survives. Once the worker alone, whose supervisor recovers it at once and
knows from the shared page what was done; once the whole tree, whose run is then recovered as that of a
machine that is gone. A job whose end nobody knows may run again only if its definition says so; when the
supervisor sees that it was running, it fails as DirtyExit instead.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    repeats = {"the worker": workers_killed(ground), "the whole tree": trees_killed(ground)}
    print(f"## A crash in the middle of a batch\n\n{METHOD.format(kills=KILLS)}")
    heads = ["killed", "jobs performed", "failed as DirtyExit", "lost", "repeated by a kill: mean", "most"]
    rows = [
        [
            name,
            *(f"{count:,}" for count in (each.performed, each.failed, each.lost)),
            f"{sum(each.repeated) / KILLS:.1f}",
            str(max(each.repeated)),
        ]
        for name, each in repeats.items()
    ]
    print_table(heads, rows)
    print_verdicts(
        at_most(1, f"{name} killed: at most a batch of {MOST} is repeated", [max(each.repeated)], [MOST])
        for name, each in repeats.items()
    )


class Result(NamedTuple):
    """What became of the jobs."""

    performed: int
    """Lines in the file."""
    failed: int
    """Entries of the Failed list: a job that ran when its process died does not repeat by itself."""
    lost: int
    """Jobs that are neither in the file nor in the Failed list."""
    repeated: list[int]
    """By each kill."""


class Ledger:
    """The file in which jobs count themselves, and where it stood at each kill."""

    def __init__(self, ground: Ground, path: Path) -> None:
        path.touch()
        self.environment = {LEDGER: str(path)}
        self._ground = ground
        self._path = path
        self._enqueued = 0
        self._kills: list[int] = []

    @property
    def lines(self) -> int:
        return self._path.stat().st_size // LINE_BYTES

    def fill(self) -> None:
        """Have enough jobs stand in the queue."""
        redis, queue = self._ground.redis, self._ground.keys.queue(QUEUE)
        while int(redis.llen(queue)) < ENOUGH:
            numbers = range(self._enqueued, self._enqueued + BULK)
            push(QUEUE, [encode(Job(count_itself.name, [number], {}, new_id())) for number in numbers])
            self._enqueued += BULK

    def wait_for_more(self) -> None:
        """Return once some jobs have counted themselves since the last kill, at a random moment."""
        before = self.lines
        self._ground.wait_until(lambda: self.lines > before + PERFORMED_BEFORE)
        time.sleep(random.uniform(0, 0.05))

    def note_kill(self) -> None:
        self._kills.append(self.lines)

    def result(self) -> Result:
        """Wait until all is performed and say what became of it."""
        self._ground.wait_until(self._is_over)
        numbers = [int(line) for line in self._path.read_text().split()]
        seen: set[int] = set()
        repeated = [0] * len(self._kills)
        for line, number in enumerate(numbers):
            if number in seen:
                repeated[sum(kill <= line for kill in self._kills) - 1] += 1
            seen.add(number)
        failed = self._failed()
        return Result(len(numbers), len(failed), self._enqueued - len(seen | failed), repeated)

    def _failed(self) -> set[int]:
        entries: Any = self._ground.redis.lrange(self._ground.keys.failed, 0, -1)
        return {json.loads(entry)["payload"]["args"][0] for entry in entries}

    def _is_over(self) -> bool:
        redis, keys = self._ground.redis, self._ground.keys
        held = (name for key in redis.scan_iter(keys.inflight("*")) for name in redis.hkeys(key))
        return not redis.llen(keys.queue(QUEUE)) and not any(name.isdigit() for name in held)


def workers_killed(ground: Ground) -> Result:
    with ledger_of(ground) as ledger, processes([jobworker(1)], **ledger.environment) as (supervisor,):
        for _ in range(KILLS):
            began = time.monotonic()
            ledger.fill()
            ledger.wait_for_more()
            time.sleep(max(0.0, began + LIFE_SECONDS - time.monotonic()))
            ledger.note_kill()
            os.kill(workers_of(supervisor)[0], signal.SIGKILL)
        return ledger.result()


def trees_killed(ground: Ground) -> Result:
    with ledger_of(ground) as ledger:
        for _ in range(KILLS):
            ledger.fill()
            with processes([jobworker(1)], **ledger.environment) as (supervisor,):
                ledger.wait_for_more()
                ledger.note_kill()
                # The supervisor first, or it would see the others die
                for pid in tree(supervisor):
                    os.kill(pid, signal.SIGKILL)
            recover_all(ground)
        with processes([jobworker(1)], **ledger.environment):
            return ledger.result()


def recover_all(ground: Ground) -> None:
    """Do what the supervisor of another machine does once the heartbeats are too old."""
    with closing(Link()) as link:
        for run in link.command("ZRANGE", ground.keys.runs, 0, -1):
            runs.recover(link, to_text(run), SilentRun(registry.crash_policy))


@contextmanager
def ledger_of(ground: Ground) -> Iterator[Ledger]:
    ground.empty()
    with tempfile.TemporaryDirectory() as folder:
        yield Ledger(ground, Path(folder) / "ledger")
