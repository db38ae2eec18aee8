"""Locks of unique jobs: enqueue under them, and release those that nobody holds any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Literal, NamedTuple

from redis.exceptions import ResponseError

from jobqueue import delayed, ids
from jobqueue.connection import keys
from jobqueue.exceptions import NotReplicated
from jobqueue.inspection.locks import Command, SeenLock, every
from jobqueue.inspection.replies import ask
from jobqueue.keys import Keys, to_text
from jobqueue.locks import LATER, MARK
from jobqueue.scripts import load
from jobqueue.store.pushing import send

Mode = Literal["drop", "replace", "raise", "debounce"]
"""What becomes of a job whose lock another one holds; "debounce", of delayed jobs, replaces and postpones."""

SURELY_HELD = timedelta(minutes=1)
"""So young a lock is not looked after: its job may have been enqueued while others were looked at."""
READ_AT_ONCE = 1000
RELEASED_AT_ONCE = 50
"""Each may make Redis look through a queue."""


class Candidate(NamedTuple):
    """A unique job that is to be enqueued."""

    digest: str
    id: str
    payload: bytes


def enqueue(queue: str, jobs: Sequence[Candidate], mode: Mode) -> list[str]:
    """Append jobs to a queue, each unless another holds its lock.

    Returns for each the id of the job that holds its lock, "" if it was enqueued. With "raise" none of up to
    1,000 jobs is enqueued if one cannot be. Raises RedisUnreachable, and NotReplicated as ``pushing.push``
    with these ids as its ``answers``.
    """

    def names(key: Keys) -> list[str]:
        return [key.queue(queue), key.queues, key.wake(queue), key.wake_any, key.unique, key.runs]

    return _sent("enqueue_unique", names, [queue, keys().prefix, mode], jobs, f"Enqueued in {queue!r}")


def delay(
    queue: str, jobs: Sequence[Candidate], moment_ms: int, mode: Mode, longest_ms: int = 0
) -> list[str]:
    """Let jobs wait until a moment, in ms since the epoch, each unless another holds its lock.

    "debounce" postpones a job until so many ms after its enqueue at most. Otherwise as ``enqueue``; raises
    InvalidPayload too.
    """
    items = [(job.digest, job.id, moment_ms, delayed.member(job.payload, queue), job.payload) for job in jobs]

    def names(key: Keys) -> list[str]:
        return [key.later, key.wake_scheduler, key.unique, key.runs]

    return _sent("delay_unique", names, [keys().prefix, mode, longest_ms], items, f"Delayed for {queue!r}")


def release(lock: SeenLock) -> bool:
    """Release a lock although its job may wait or run; False if it has changed since it was read."""
    return _release(ask, [lock], in_any_case=True) == 1


def release_orphans(command: Command = ask, *, young_too: bool = False) -> Iterator[int]:
    """Release the locks whose jobs neither wait nor are in flight; yield how many each step has released.

    Such are left when a job was taken away by hand or by a worker of Ruby. It reads in parts what waits where
    locks say. Young locks, which may belong to jobs that came meanwhile, are looked at only if asked for.
    Raises what ``command`` does, which sends one.
    """
    youngest = datetime.now(UTC) - (timedelta() if young_too else SURELY_HELD)
    places: set[str] = set()
    for locks in every(command):
        places.update(lock.holder.place for lock in locks if lock.holder and _is_older(lock, youngest))
        yield 0
    waiting: set[int] = set()
    for texts in chain.from_iterable(_waiting(command, place) for place in places):
        waiting.update(hash(text) for text in texts if MARK in text)
        yield 0
    for locks in every(command):
        suspects = [lock for lock in locks if _is_suspect(lock, waiting, youngest)]
        yield from (_release(command, some, in_any_case=False) for some in _parts(suspects))


def release_orphans_of(place: str) -> int:
    """Release the locks of jobs that waited in a place which was emptied; return how many there were."""
    released = 0
    for locks in every(ask):
        gone = [lock for lock in locks if lock.holder and lock.holder.place == place]
        released += sum(_release(ask, some, in_any_case=False) for some in _parts(gone))
    return released


def _sent(
    script: str,
    names: Callable[[Keys], Sequence[str]],
    args: Sequence[Any],
    items: Sequence[Sequence[Any]],
    done: str,
) -> list[str]:
    try:
        return _ids(send(script, names, args, items, done))
    except NotReplicated as error:
        raise NotReplicated(str(error), _ids(error.answers)) from error


def _ids(answers: Sequence[Sequence[bytes]]) -> list[str]:
    return [to_text(id) for some in answers for id in some]


def _is_suspect(lock: SeenLock, waiting: Collection[int], youngest: datetime) -> bool:
    if lock.holder is None:
        return True
    return _is_older(lock, youngest) and hash(lock.holder.text) not in waiting


def _is_older(lock: SeenLock, youngest: datetime) -> bool:
    enqueued_at = ids.enqueued_at(lock.id)
    return enqueued_at is None or enqueued_at < youngest


def _parts(locks: Sequence[SeenLock]) -> Iterator[Sequence[SeenLock]]:
    return (locks[start : start + RELEASED_AT_ONCE] for start in range(0, len(locks), RELEASED_AT_ONCE))


def _release(command: Command, locks: Sequence[SeenLock], *, in_any_case: bool) -> int:
    key = keys()
    pairs = [part for lock in locks for part in (lock.digest, lock.value)]
    args = [key.prefix, int(in_any_case), *pairs]
    # By its text: it is rare, and who sends it may know no other way
    return int(command(*load("release_locks").by_text([key.unique, key.runs], args)))


def _waiting(command: Command, place: str) -> Iterator[Sequence[bytes]]:
    """Yield the texts of what waits in a place, some at a time; what moves meanwhile may be missed."""
    how = "ZRANGE" if place == LATER else "LRANGE"
    # From the end: workers that claim at the head meanwhile move nothing
    start = -1
    with suppress(ResponseError):
        while some := command(how, keys().prefix + place, start - READ_AT_ONCE + 1, start):
            yield some
            start -= READ_AT_ONCE
