"""Unique jobs: which of them ran beside their equals, and which were dropped although nobody was there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf

from tests.chaos.jobs import RECURRING, key_of, lone_tick, once, one_at_a_time
from tests.chaos.lives import Life

ONE_AT_A_TIME = {one_at_a_time.function.__name__, lone_tick.function.__name__}
DROPPED = {once.function.__name__, one_at_a_time.function.__name__}
SETTLED_SECONDS = 1.0
"""So soon after its work a job has given back its lock while nothing is broken."""
Calm = tuple[float, float]
Equals = Mapping[tuple[str, str], Sequence[tuple[str, Life]]]
"""Names and lives of the jobs that are equal, by kind and key."""


def complaints_of(lives: Mapping[str, Life], calms: Sequence[Calm]) -> Iterator[str]:
    """Yield what is wrong with unique jobs while nothing was broken."""
    equals = _equals(lives)
    for calm in calms:
        for first, second in _overlaps(equals, calm):
            yield f"{second} began before {first} had ended, and is its equal"
        for name in _dropped_for_nobody(equals, calm):
            yield f"{name} was dropped although nobody was there who is its equal"


def _equals(lives: Mapping[str, Life]) -> Equals:
    found: defaultdict[tuple[str, str], list[tuple[str, Life]]] = defaultdict(list)
    for name, life in lives.items():
        if life.kind in ONE_AT_A_TIME | DROPPED:
            found[life.kind, "" if life.kind in RECURRING else key_of(name)].append((name, life))
    return found


def _overlaps(equals: Equals, calm: Calm) -> Iterator[tuple[str, str]]:
    """Yield pairs of equal jobs of which the second began too early; a retried one is a job of its own."""
    for (kind, _), jobs in equals.items():
        if kind in ONE_AT_A_TIME:
            spans = sorted(
                (began, ended, name)
                for name, life in jobs
                for began, ended in _performed(life)
                if calm[0] <= began <= calm[1] and not life.retried
            )
            yield from ((a, b) for (_, end, a), (began, _, b) in pairwise(spans) if began < end)


def _performed(life: Life) -> Iterator[tuple[float, float]]:
    """Yield from when to when a job was performed; where it fell with its process nobody knows until when."""
    for began, again in pairwise([*sorted(life.began), inf]):
        if ended := min((at for at in life.ended if began < at < again), default=None):
            yield began, ended


def _dropped_for_nobody(equals: Equals, calm: Calm) -> Iterator[str]:
    for jobs in equals.values():
        for name, life in jobs:
            for began, ended in life.dropped:
                others = (other for other_name, other in jobs if other_name != name)
                if (
                    calm[0] + SETTLED_SECONDS <= began
                    and ended <= calm[1]
                    and not _is_any(others, began, ended)
                ):
                    yield name


def _is_any(lives: Iterable[Life], began: float, ended: float) -> bool:
    """Tell whether one of some jobs can have held its lock at some time in a call."""
    return any(
        life.tried and min(life.tried) <= ended and max(life.ended, default=inf) >= began - SETTLED_SECONDS
        for life in lives
    )
