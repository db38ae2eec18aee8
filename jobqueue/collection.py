"""What is enqueued while a test collects it, instead of Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from jobqueue import duetime
from jobqueue.payload import Job


class Collected(NamedTuple):
    """A job that a test collects instead of Redis."""

    queue: str
    job: Job


class CollectedDelayed(NamedTuple):
    """A delayed job that a test collects instead of Redis."""

    queue: str
    job: Job
    at: datetime
    """When it is due."""


class Collection(list[Collected]):
    """What a test collects, in order; delayed jobs apart."""

    def __init__(self) -> None:
        super().__init__()
        self.delayed: list[CollectedDelayed] = []

    def add(self, queue: str, job: Job, moment_ms: int | None) -> None:
        if moment := duetime.ahead(moment_ms):
            self.delayed.append(CollectedDelayed(queue, job, duetime.as_datetime(moment)))
        else:
            self.append(Collected(queue, job))


_collection: Collection | None = None


@contextmanager
def collecting(into: Collection) -> Iterator[None]:
    """Collect what is enqueued, by any thread, and touch no Redis; the innermost collection counts."""
    global _collection
    outer, _collection = _collection, into
    try:
        yield
    finally:
        _collection = outer


def current() -> Collection | None:
    """Return the collection that counts; None if nothing collects."""
    return _collection
