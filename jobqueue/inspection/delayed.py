"""Read the delayed jobs: ours in ``later``, bare ones and Ruby's in resque-scheduler's keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from heapq import merge
from itertools import islice
from typing import Any

from jobqueue import delayed, payload
from jobqueue.connection import keys
from jobqueue.exceptions import InvalidPayload
from jobqueue.inspection.jobs import SeenJob, read_job
from jobqueue.inspection.replies import ask, fetch
from jobqueue.keys import to_text

READ_AT_ONCE = 500
LATEST_MS = 253_370_764_800_000
"""The year 9999, the last that has a name."""
LATE_SECONDS = 60
"""Very many jobs that are due at once need some seconds."""
_SPELLED_ALIKE = re.compile(r"[\w:. -]+", re.ASCII)
"""A name that all JSON libraries spell alike, and that is no pattern to Redis."""


@dataclass(frozen=True, kw_only=True)
class DelayedJob:
    """A job that waits for a moment."""

    raw: bytes
    """Its text in Redis."""
    moment_ms: int
    """When it is due, in ms since the epoch."""
    is_bare: bool = False
    """It stands in resque-scheduler's keys, where equal jobs of one time have one text."""
    time: str = ""
    """What names its time there."""

    @property
    def digest(self) -> str:
        """A name for exactly this text, fit for a form."""
        return hashlib.sha1(self.raw, usedforsecurity=False).hexdigest()

    @property
    def at(self) -> datetime:
        """When it is due, in UTC."""
        return datetime.fromtimestamp(self.moment_ms / 1000, UTC)

    @property
    def is_late(self) -> bool:
        """It has been due for so long that no scheduler seems to run."""
        return (datetime.now(UTC) - self.at).total_seconds() > LATE_SECONDS

    @cached_property
    def job(self) -> payload.Job | None:
        """The job; None if its text is none."""
        try:
            return payload.decode(self.raw)
        except InvalidPayload:
            return None

    @cached_property
    def queue(self) -> str:
        """The queue to which it will go; empty if its text names none."""
        try:
            return delayed.read(self.raw).queue
        except InvalidPayload:
            return ""

    @cached_property
    def seen(self) -> SeenJob:
        """The job as a page shows it."""
        return read_job(self.raw)


def count() -> int:
    """Return how many jobs of both kinds wait for their moments. Takes a look at every time of Ruby's."""
    bare = sum(sum(fetch([("LLEN", keys().delayed(time)) for time in times])) for times in _times())
    return int(ask("ZCARD", keys().later)) + bare


def earliest(start: int, count: int) -> list[DelayedJob]:
    """Return ``count`` delayed jobs of both kinds from place ``start`` on, the earliest first."""
    ours = _ours_in_order(start + count)
    both = merge(ours, _bare_in_order(), key=lambda each: each.moment_ms)
    return list(islice(both, start, start + count))


def at(moment_ms: int) -> Iterator[DelayedJob]:
    """Yield all that are due at just this moment; those of resque-scheduler's keys in that second."""
    start = 0
    while texts := ask("ZRANGEBYSCORE", keys().later, moment_ms, moment_ms, "LIMIT", start, READ_AT_ONCE):
        yield from (DelayedJob(raw=raw, moment_ms=moment_ms) for raw in texts)
        start += len(texts)
    yield from _bare_at(str(moment_ms // 1000))


def find(moment_ms: int, digest: str, *, is_bare: bool) -> DelayedJob | None:
    """Return the job of this text that is due at this moment; None if it is gone, or due at another."""
    return next((each for each in at(moment_ms) if each.is_bare == is_bare and each.digest == digest), None)


def every(name: str | None = None) -> Iterator[DelayedJob]:
    """Yield all jobs of both kinds in no order, at least those of one name.

    Each once, unless it moves meanwhile.
    """
    yield from _ours(name)
    yield from _bare_in_order()


def _ours(name: str | None) -> Iterator[DelayedJob]:
    """Yield our jobs, in any order; Redis leaves others out where it can tell them by their text."""
    match = ["MATCH", f'*"{name}"*'] if name and _SPELLED_ALIKE.fullmatch(name) else []
    seen: set[int] = set()
    cursor: Any = 0
    while True:
        cursor, found = ask("ZSCAN", keys().later, cursor, *match, "COUNT", READ_AT_ONCE)
        for each in scored(found):
            # While Redis makes its table larger or smaller it tells of some twice
            if (known := hash(each.raw)) not in seen:
                seen.add(known)
                yield each
        if int(cursor) == 0:
            return


def _ours_in_order(count: int) -> Iterator[DelayedJob]:
    for start in range(0, count, READ_AT_ONCE):
        stop = min(count, start + READ_AT_ONCE) - 1
        if not (found := ask("ZRANGE", keys().later, start, stop, "WITHSCORES")):
            return
        yield from scored(found)


def _bare_in_order() -> Iterator[DelayedJob]:
    for times in _times():
        for time in times:
            yield from _bare_at(time)


def _bare_at(time: str) -> Iterator[DelayedJob]:
    start = 0
    while texts := ask("LRANGE", keys().delayed(time), start, start + READ_AT_ONCE - 1):
        yield from of_time(time, texts)
        start += len(texts)


def _times() -> Iterator[list[str]]:
    """Yield the times of resque-scheduler, some at a time, the earliest first."""
    start = 0
    while times := ask("ZRANGE", keys().delayed_times, start, start + READ_AT_ONCE - 1):
        yield [to_text(time) for time in times]
        start += len(times)


def of_time(time: str, texts: Sequence[bytes]) -> Iterator[DelayedJob]:
    """Yield jobs in resque-scheduler's keys, of the texts of one time."""
    moment_ms = clamped(time, 1000)
    return (DelayedJob(raw=raw, moment_ms=moment_ms, is_bare=True, time=time) for raw in texts)


def scored(found: Sequence[bytes]) -> Iterator[DelayedJob]:
    """Read our jobs as Redis lists them, each before its moment."""
    pairs = zip(found[::2], found[1::2], strict=True)
    return (DelayedJob(raw=raw, moment_ms=clamped(score, 1)) for raw, score in pairs)


def clamped(number: str | bytes, factor: int) -> int:
    """Return a moment that a page can show, also for what a stranger has written."""
    try:
        return int(min(max(float(number) * factor, 0), LATEST_MS))
    except ValueError:
        return 0
