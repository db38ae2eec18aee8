"""Find delayed jobs by what they say, and change what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from jobqueue import collection, databases, duetime, enqueueing
from jobqueue.conf import settings
from jobqueue.defined import Defined
from jobqueue.dequeueing import same
from jobqueue.exceptions import RedisUnreachable
from jobqueue.inspection import delayed as waiting
from jobqueue.inspection.delayed import DelayedJob
from jobqueue.pause import Pause
from jobqueue.payload import Job, encode
from jobqueue.store import delayed as store

Predicate = Callable[[Job], bool]

REMOVED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedJobs:
    """Some delayed jobs: those that are found at the moment when something is asked or done.

    Decoded values are compared, so any spelling of the same job is found, whatever its id, and whether it
    waits where our jobs do or where Ruby's do. What has gone meanwhile is left alone: the numbers that
    are returned tell what was done.
    """

    name: str | None = None
    arguments: tuple[tuple[Any, ...], dict[str, Any]] | None = None
    queue: str | None = None
    moment_ms: int | None = None
    predicate: Predicate | None = None

    def having(self, *args: Any, **kwargs: Any) -> DelayedJobs:
        """Choose those with just these arguments; without any, those that have none."""
        return replace(self, arguments=(args, kwargs))

    def in_queue(self, queue: str) -> DelayedJobs:
        """Choose those that will go to a queue."""
        return replace(self, queue=queue)

    def due_at(self, moment: datetime) -> DelayedJobs:
        """Choose those that are due at a moment; bare jobs and Ruby's know whole seconds."""
        return replace(self, moment_ms=duetime.at(moment))

    def where(self, predicate: Predicate) -> DelayedJobs:
        """Choose those for which a function of the job is true."""
        return replace(self, predicate=predicate)

    def __iter__(self) -> Iterator[DelayedJob]:
        """Yield the jobs, the earliest first. Raises RedisUnreachable, as all of these do."""
        return iter(self.find())

    def find(self) -> list[DelayedJob]:
        """Return the jobs, the earliest first."""
        every = waiting.every(self.name) if self.moment_ms is None else waiting.at(self.moment_ms)
        return sorted((each for each in every if self._is_meant(each)), key=lambda each: each.moment_ms)

    def count(self) -> int:
        """Return how many there are."""
        return waiting.count() if self == DelayedJobs() else len(self.find())

    def peek(self, start: int = 0, count: int = 1) -> list[DelayedJob]:
        """Return ``count`` jobs from place ``start`` on, the earliest first."""
        if self == DelayedJobs():
            return waiting.earliest(start, count)
        return self.find()[start : start + count]

    def remove(self) -> int:
        """Remove the jobs; return how many there were."""
        return _remove_all() if self == DelayedJobs() else store.remove(self.find())

    def enqueue_now(self) -> int:
        """Enqueue the jobs now, whenever they are due, the earliest first; return how many there were."""
        return store.enqueue_now(self.find())

    def move_to(self, moment: datetime) -> int:
        """Let the jobs wait for another moment, or enqueue them if it is over; return how many there were."""
        return self._move(duetime.at(moment))

    def put_off(self, delay: Pause) -> int:
        """Let the jobs wait so many seconds, or a timedelta, from now; return how many there were."""
        return self._move(duetime.after(delay))

    def _move(self, moment_ms: int) -> int:
        if duetime.ahead(moment_ms) is None:
            return self.enqueue_now()
        return store.move(self.find(), moment_ms)

    def _is_meant(self, found: DelayedJob) -> bool:
        if self.queue is not None and found.queue != self.queue:
            return False
        job = found.job
        if job is None:
            # What is no job is chosen by nothing that asks about the job
            return (self.name, self.arguments, self.predicate) == (None, None, None)
        if self.name is not None and job.name != self.name:
            return False
        if self.arguments is not None and not _has(job, *self.arguments):
            return False
        return self.predicate is None or self.predicate(job)


def _remove_all() -> int:
    """Remove all there are, some at a time, so that no process has to hold millions of them."""
    left, removed = waiting.count(), 0
    while left > 0 and (some := waiting.earliest(0, REMOVED_AT_ONCE)):
        removed += store.remove(some)
        left -= len(some)
    return removed


def _has(job: Job, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return same(job.args, args) and same(job.kwargs, kwargs)


def delay_or_enqueue(
    definition: Defined[..., Any], moment_ms: int, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Let a definition's delayed jobs with these arguments wait for a moment; delay one if there are none."""
    definition.arity.check(definition.name, args, kwargs)
    encode(Job(definition.name, list(args), dict(kwargs)))
    step = partial(_delay_or_enqueue, definition.using(on_commit=False), moment_ms, args, kwargs)
    is_performed_elsewhere = collection.current() is None and not settings.inline
    if is_performed_elsewhere and definition.on_commit and databases.in_transaction(definition.database):
        databases.on_commit(step, definition.database)
    else:
        step()


def _delay_or_enqueue(
    definition: Defined[..., Any], moment_ms: int, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    if collection.current() is None and not settings.inline:
        equal = DelayedJobs(name=definition.name, queue=definition.queue).having(*args, **kwargs)
        # Where Redis cannot be asked, the enqueue that follows reports the job
        with suppress(RedisUnreachable):
            if equal._move(moment_ms):
                return
    enqueueing.enqueue(definition, args, kwargs, moment_ms)
