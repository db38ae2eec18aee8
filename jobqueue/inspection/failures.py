"""Read the Failed list. Its oldest entry has index 0; pages show the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from jobqueue.connection import keys
from jobqueue.failure import Failure
from jobqueue.inspection.jobs import SeenJob, is_large, large_job, seen
from jobqueue.inspection.replies import ask, fetch, or_else

CHUNK = 50
LOOKED_THROUGH_AT_MOST = 2000
"""A filtered page looks through no more entries than this: it costs the same however long the list is."""
LOOKED_THROUGH_BYTES = 20_000_000
"""Nor through much more than this, so that large entries do not make it slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A failure and the index at which it was seen; it can only have moved to lower ones since."""

    index: int
    failure: Failure

    is_large: bool = False
    """The entry is larger than what a page reads."""

    @property
    def job(self) -> SeenJob:
        """The job that failed, as a page shows it."""
        if self.is_large:
            return large_job(self.failure.raw)
        return seen(self.failure.job) if self.failure.job else SeenJob(complaint=self.failure.complaint)

    @property
    def can_be_retried(self) -> bool:
        """Whether there is a job, and a queue to put it on; of a large entry only a try can tell."""
        return self.is_large or self.failure.job is not None and bool(self.failure.queue)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePage:
    """Some failures, newest first. ``older`` is the index to go on from, if a search stopped there."""

    count: int
    failures: list[Listed]
    looked_through: int
    older: int | None = None
    complaints: list[str]


def count() -> int:
    """Return how many failures the list holds."""
    return int(ask("LLEN", keys().failed))


def page(start: int, size: int) -> FailurePage:
    """Return ``size`` failures, ``start`` of the newest left out, in one round trip."""
    complaints: list[str] = []
    failed = keys().failed
    commands = [("LLEN", failed), ("LRANGE", failed, -start - size, -start - 1)]
    length, entries = fetch(commands, atomic=True)
    count = or_else(0, length, failed, complaints)
    lowest = max(count - start - size, 0)
    failures = [_glanced(*each) for each in _numbered(or_else([], entries, failed, []), lowest)]
    return FailurePage(count=count, failures=failures, looked_through=len(failures), complaints=complaints)


def search(name: str, size: int, below: int | None = None) -> FailurePage:
    """Return up to ``size`` failures whose job's name holds ``name`` (any case), below an index.

    Looks through a few chunks and no more; ``older`` tells where to go on.
    """
    failed = keys().failed
    complaints: list[str] = []
    count = or_else(0, fetch([("LLEN", failed)])[0], failed, complaints)
    stop = count if below is None else min(below, count)
    found: list[Listed] = []
    looked_through = size_bytes = 0
    for index, raw in islice(chain.from_iterable(_downwards(stop)), LOOKED_THROUGH_AT_MOST):
        looked_through += 1
        size_bytes += len(raw)
        listed = _glanced(index, raw)
        if name.casefold() in listed.job.name.casefold():
            found.append(listed)
        if len(found) == size or size_bytes > LOOKED_THROUGH_BYTES:
            break
    older = stop - looked_through
    return FailurePage(
        count=count,
        failures=found,
        looked_through=looked_through,
        older=older if older > 0 else None,
        complaints=complaints,
    )


def find(index: int, digest: str) -> Listed | None:
    """Return the entry with this digest, seen at this index, or None if it is gone.

    Entries are added at the end and removed anywhere, so one that moved stands lower; only a list that
    was cleared and filled again has it higher.
    """
    for place, raw in chain.from_iterable(_places(index)):
        if Failure(raw=raw).digest == digest:
            return Listed(index=place, failure=Failure.parse(raw))
    return None


Entry = tuple[int, bytes]
"""An index and the text that stands there."""


def _places(index: int) -> Iterator[list[Entry]]:
    """Yield where an entry seen at an index can be, the likeliest place first."""
    yield _numbered(_entries(index, index), index)
    yield from _downwards(min(index, count()))
    yield from _upwards(index + 1)


def _downwards(stop: int) -> Iterator[list[Entry]]:
    """Yield the entries below ``stop``, newest first, in chunks."""
    while stop > 0:
        start = max(stop - CHUNK, 0)
        yield _numbered(_entries(start, stop - 1), start)
        stop = start


def upwards(start: int, stop: int | None = None) -> Iterator[list[Listed]]:
    """Yield the failures from ``start`` to the end (or below ``stop``) in chunks, oldest first."""
    for chunk in _upwards(start, stop):
        yield [Listed(index=index, failure=Failure.parse(raw)) for index, raw in chunk]


def _upwards(start: int, stop: int | None = None) -> Iterator[list[Entry]]:
    while stop is None or start < stop:
        last = start + CHUNK - 1 if stop is None else min(start + CHUNK, stop) - 1
        if not (entries := _entries(start, last)):
            return
        yield list(enumerate(entries, start))
        start += len(entries)


def _entries(first: int, last: int) -> list[bytes]:
    return list(ask("LRANGE", keys().failed, first, last))


def _numbered(entries: list[bytes], lowest: int) -> list[Entry]:
    """Number entries from ``lowest`` up; the newest comes first."""
    return list(enumerate(entries, lowest))[::-1]


def _glanced(index: int, raw: bytes) -> Listed:
    """Read an entry for a list of many; a large one is not read."""
    if is_large(raw):
        complaint = "This entry is too large to be read here; the error stands in it, behind the job."
        return Listed(index=index, failure=Failure(raw=raw, complaint=complaint), is_large=True)
    return Listed(index=index, failure=Failure.parse(raw))
