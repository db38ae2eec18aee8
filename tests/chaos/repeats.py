"""Jobs that were performed twice, and whether something has happened to their first worker."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf
from pathlib import Path

from tests.chaos import ledger
from tests.chaos.jobs import ENDING_THEIR_PROCESS
from tests.chaos.lives import Life

LOST = re.compile(r"^([0-9.]+) ([0-9]+) worker \S+ was taken for dead", re.MULTILINE)
SAME_PROCESS_SECONDS = 20.0
"""Soon enough for a pid to be that of the same process."""
ENDING_SECONDS = 3.0
"""So long a job may run beside another before one of them ends their process: the longest takes 2 s."""
BATCH_SECONDS = 2.0
"""So long a worker may begin jobs that it has claimed together, without a word with Redis."""
Times = Mapping[int, list[float]]
"""By pid, in ascending order."""


def unexplained(lives: dict[str, Life]) -> Iterator[str]:
    """Yield the names of jobs that were performed again while their first worker went on with other jobs.

    A worker that goes on has settled what it has done, or will do so; unless its run was taken from it, which
    it tells in its log. Or it was the other's run that was taken, before it began the job.
    """
    begins, losses = _begins(), _losses()
    for name, life in lives.items():
        if len(life.ended) > 1 and not life.retried and _goes_on(life, begins, losses):
            yield name


def in_peace(lives: dict[str, Life], calms: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Yield the names of jobs that began twice while nothing was broken.

    Not of those beside which another one may have ended the process of both.
    """
    enders = _enders(lives)
    for name, life in lives.items():
        repeats = (repeat for calm in calms for repeat in life.repeats_within(calm))
        if not all(_fell_with_another(enders.get(beside, []), first) for first, beside in repeats):
            yield name


def _fell_with_another(enders: list[float], first: float) -> bool:
    return any(0 < abs(at - first) < ENDING_SECONDS for at in enders)


def _enders(lives: dict[str, Life]) -> Times:
    """Return when jobs have begun that may end their process, by those that perform several at a time."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for life in lives.values():
        if life.kind in ENDING_THEIR_PROCESS:
            for at, beside in zip(life.began, life.began_beside, strict=True):
                found[beside].append(at)
    found.pop(0, None)
    return found


def _goes_on(life: Life, begins: Times, losses: Times) -> bool:
    """Tell whether a worker of a job has begun something after another had begun the same job."""
    done = sorted(zip(life.ended, life.ended_by, strict=True))
    for (ended, first), (ended_again, second) in pairwise(done):
        again = _first_after(sorted(life.began), ended)
        later = again and _first_after(begins[first], again - 1e-6)
        if not later or later > again + SAME_PROCESS_SECONDS:
            continue
        told = _has_lost(losses, first, ended, later + BATCH_SECONDS)
        if not (told or _has_lost(losses, second, ended_again, inf)):
            return True
    return False


def _has_lost(losses: Times, pid: int, ended: float, until: float) -> bool:
    """Tell whether a worker has told at about that time that its run was taken."""
    lost = _first_after(losses.get(pid, []), ended - SAME_PROCESS_SECONDS)
    return 0 < lost <= min(until, ended + SAME_PROCESS_SECONDS)


def _first_after(times: list[float], at: float) -> float:
    """Return the first of some times that is later; 0 if there is none."""
    place = bisect_right(times, at)
    return times[place] if place < len(times) else 0.0


def _begins() -> Times:
    found: defaultdict[int, list[float]] = defaultdict(list)
    for note in ledger.read(ledger.BEGAN):
        found[note.pid].append(note.at)
    return {pid: sorted(times) for pid, times in found.items()}


def _losses() -> Times:
    """Return when workers have told that their runs were taken from them."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for path in sorted(Path(os.environ[ledger.FOLDER]).glob("tree-*.log")):
        for at, pid in LOST.findall(path.read_text(errors="replace")):
            found[int(pid)].append(float(at))
    return {pid: sorted(times) for pid, times in found.items()}
