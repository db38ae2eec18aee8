"""The ticks of the recurring jobs, as the append-only file of Redis tells them after the run.

Nobody but Redis knows of a job that a scheduler enqueues: it may be killed before it can tell of it.
"""

from __future__ import annotations

import mmap
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jobqueue.payload import decode
from tests.chaos import ledger
from tests.chaos.jobs import RECURRING, tick_name

FIRED = re.compile(
    rb"HSET\r\n\$12\r\nresque:fired\r\n\$\d+\r\n([^\r]+)\r\n\$\d+\r\n(-?\d+) [^\r]*\r\n"
    rb"(?:\*3\r\n\$5\r\nRPUSH\r\n\$\d+\r\n[^\r]*\r\n\$\d+\r\n([^\r]*)\r\n)?"
)
"""A script writes so that a tick is dealt with, and the job if it enqueues one."""
MILLISECONDS = 1000


class Tick(NamedTuple):
    """A tick of a recurring job that has been dealt with."""

    entry: str
    at: float
    """Its moment, in seconds since the epoch."""
    job: str
    """What the ledger calls the job that it has enqueued; empty if it passed."""


def read(folder: Path) -> Iterator[Tick]:
    """Yield the ticks that a Redis in a folder has dealt with."""
    for path in sorted(folder.rglob("*.aof")):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as written:
            for entry, moment, payload in FIRED.findall(written):
                name = tick_name(decode(payload)) if payload else ""
                yield Tick(entry.decode(), int(moment) / MILLISECONDS, name)


def note(ticks: Sequence[Tick]) -> None:
    """Note the jobs of ticks as others are noted when they are enqueued."""
    for tick in ticks:
        if tick.job:
            ledger.note(ledger.TRIED, tick.job, tick.entry)
            ledger.note(ledger.ACKNOWLEDGED, tick.job)


def complaints_of(ticks: Sequence[Tick], calms: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Yield which ticks were dealt with twice, and the rests in which too few have come."""
    for (entry, at), times in Counter((tick.entry, tick.at) for tick in ticks).items():
        if times > 1:
            yield f"the tick of {entry} at {at:.3f} came {times} times"
    came = {(tick.entry, int(tick.at)) for tick in ticks}
    for entry in RECURRING:
        for number, (began, ended) in enumerate(calms, 1):
            missing = [second for second in range(int(began) + 1, int(ended)) if (entry, second) not in came]
            if missing:
                yield f"{len(missing)} ticks of {entry} are missing in rest {number}"
