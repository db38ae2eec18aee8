"""Read the delayed jobs a page at a time: both kinds as one list, in the order of their moments.

A page costs the same however many jobs wait, wherever it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from jobqueue.connection import keys
from jobqueue.inspection.delayed import LATEST_MS, DelayedJob, clamped, of_time, scored
from jobqueue.inspection.replies import fetch, or_else
from jobqueue.keys import to_text

CHUNK = 200
LOOKED_THROUGH_AT_MOST = 2_000
LOOKED_THROUGH_BYTES = 20_000_000
"""A search looks through no more than these, so that it does not take long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of delayed jobs begins: at a moment, some jobs of which are left out."""

    moment_ms: int = 0
    skip: int = 0
    """So many jobs of ours that are due just then."""
    skip_bare: int = 0
    """The same of those in resque-scheduler's keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedPage:
    """Some delayed jobs, the earliest first."""

    jobs: list[DelayedJob]
    count: int
    """How many of ours there are."""
    bare_times: int
    """At how many times others are due."""
    next: Place | None
    """Where the jobs go on; None at the end."""
    complaints: list[str]
    looked_through: int = 0
    """How many a search has seen."""


START = Place()


def page(place: Place, size: int) -> DelayedPage:
    """Return up to ``size`` delayed jobs from a place on, in three round trips."""
    key, complaints = keys(), list[str]()
    # What a stranger has put before the beginning stands there
    moment_ms, time = (place.moment_ms, place.moment_ms // 1000) if place.moment_ms else ("-inf", "-inf")
    limits = ("LIMIT", place.skip, size + 1)
    ours, count, bare_times, times = fetch(
        [
            ("ZRANGEBYSCORE", key.later, moment_ms, "+inf", "WITHSCORES", *limits),
            ("ZCARD", key.later),
            ("ZCARD", key.delayed_times),
            ("ZRANGEBYSCORE", key.delayed_times, time, "+inf", "LIMIT", 0, size + 1),
        ]
    )
    times = or_else([], times, key.delayed_times, complaints)
    listed = _listed(times, place, size, complaints)
    both = sorted([*scored(or_else([], ours, key.later, complaints)), *listed], key=_moment)
    end_ms = _end_ms(place, times, listed, size)
    known = [each for each in both if each.moment_ms < end_ms]
    shown, goes_on = known[:size], len(both) > size or end_ms < LATEST_MS
    return DelayedPage(
        jobs=shown,
        count=or_else(0, count, key.later, []),
        bare_times=or_else(0, bare_times, key.delayed_times, []),
        next=_next(place, shown, known, end_ms) if goes_on else None,
        complaints=complaints,
    )


def search(name: str, place: Place, size: int) -> DelayedPage:
    """Return up to ``size`` jobs whose name holds ``name`` (any case), from a place on.

    Looks through a few chunks and no more; ``DelayedPage.next`` tells where to go on.
    """
    found: list[DelayedJob] = []
    looked_through = size_bytes = 0
    for chunk, each, behind in _onwards(place):
        looked_through += 1
        size_bytes += len(each.raw)
        if name.casefold() in each.seen.name.casefold():
            found.append(each)
        is_enough = len(found) == size or looked_through == LOOKED_THROUGH_AT_MOST
        if is_enough or size_bytes > LOOKED_THROUGH_BYTES:
            return replace(chunk, jobs=found, next=behind(), looked_through=looked_through)
    return replace(page(place, 1), jobs=found, next=None, looked_through=looked_through)


def _onwards(place: Place) -> Iterator[tuple[DelayedPage, DelayedJob, Callable[[], Place]]]:
    """Yield the jobs from a place on, each with the page of it and the place behind it."""
    chunk = page(place, CHUNK)
    while True:
        for number, each in enumerate(chunk.jobs, 1):
            yield chunk, each, partial(_behind, place, chunk.jobs[:number])
        if chunk.next is None:
            return
        place, chunk = chunk.next, page(chunk.next, CHUNK)


def _listed(times: Sequence[bytes], place: Place, size: int, complaints: list[str]) -> list[DelayedJob]:
    """Read the first jobs of some of resque-scheduler's times, one more than a page shows."""
    names = [to_text(time) for time in times]
    lengths = fetch([("LLEN", keys().delayed(name)) for name in names])
    left, parts = size + 1, list[tuple[str, int, int]]()
    for name, length in zip(names, lengths, strict=True):
        skip = place.skip_bare if name == str(place.moment_ms // 1000) else 0
        some = min(left, or_else(0, length, keys().delayed(name), complaints) - skip)
        if some > 0:
            parts.append((name, skip, skip + some - 1))
            left -= some
    lists = fetch([("LRANGE", keys().delayed(name), first, last) for name, first, last in parts])
    found = zip(parts, lists, strict=True)
    return [job for (name, *_), texts in found for job in of_time(name, or_else([], texts, name, []))]


def _end_ms(place: Place, times: Sequence[bytes], listed: Sequence[DelayedJob], size: int) -> int:
    """Return until when all is known: lists that Ruby has emptied may leave too few jobs of as many times."""
    is_cut = len(times) > size and len(listed) <= size
    last_ms = clamped(times[-1], 1000) if is_cut else 0
    # Else a page would lead back to itself, by a time of no form
    return last_ms + 1000 if last_ms > place.moment_ms else LATEST_MS + 1


def _next(place: Place, shown: Sequence[DelayedJob], known: Sequence[DelayedJob], end_ms: int) -> Place:
    """Return the place behind what is shown of that which is known until a moment."""
    return _behind(place, shown) if len(known) > len(shown) else Place(moment_ms=end_ms)


def _behind(place: Place, shown: Sequence[DelayedJob]) -> Place:
    """Return the place behind the last job that is shown."""
    last = shown[-1].moment_ms
    skip = sum(each.moment_ms == last and not each.is_bare for each in shown)
    skip_bare = sum(each.moment_ms == last // 1000 * 1000 and each.is_bare for each in shown)
    if last == place.moment_ms:
        skip += place.skip
    if last // 1000 == place.moment_ms // 1000:
        skip_bare += place.skip_bare
    return Place(moment_ms=last, skip=skip, skip_bare=skip_bare)


def _moment(job: DelayedJob) -> int:
    return job.moment_ms
