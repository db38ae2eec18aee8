"""Release locks of unique jobs: one by hand, and those that nobody holds any more."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from redis.exceptions import ResponseError

from jobqueue import ids
from jobqueue.connection import keys
from jobqueue.inspection.locks import Command, SeenLock, every
from jobqueue.inspection.replies import ask
from jobqueue.locks import LATER, MARK
from jobqueue.scripts import load
from jobqueue.seentexts import SeenTexts

SURELY_HELD = timedelta(minutes=1)
"""So young a lock is not looked after: its job may have been enqueued while others were looked at."""
READ_AT_ONCE = 1000
RELEASED_AT_ONCE = 500
LOOKED_THROUGH_AT_ONCE = 100_000
"""Jobs that wait. Redis looks through all of a queue for each lock that it is to release there."""


def release(lock: SeenLock) -> bool:
    """Release a lock although its job may wait or run; False if it has changed since it was read."""
    return _release(ask, [lock], in_any_case=True) == 1


def release_orphans(command: Command = ask, *, young_too: bool = False) -> Iterator[int]:
    """Release the locks whose jobs neither wait nor are in flight; yield how many each step has released.

    Such are left when a job was taken away by hand or by a worker of Ruby. It reads in parts what waits where
    locks say. Young locks, which may belong to jobs that came meanwhile, are looked at only if asked for.
    Raises what ``command`` does, which sends one.
    """
    return _Look(command, datetime.now(UTC) - (timedelta() if young_too else SURELY_HELD)).steps()


def release_orphans_of(place: str) -> int:
    """Release the locks of jobs that waited in a place which was emptied; return how many there were."""
    released = 0
    for locks in every(ask):
        gone = [lock for lock in locks if lock.holder and lock.holder.place == place]
        released += _release(ask, gone, in_any_case=False) if gone else 0
    return released


class _Look:
    """One look at all locks, and at the jobs that wait where they say."""

    def __init__(self, command: Command, youngest: datetime) -> None:
        self._command = command
        self._youngest = youngest
        self._waiting = SeenTexts()
        self._longest = 1

    def steps(self) -> Iterator[int]:
        places = yield from self._places()
        for place in places:
            yield from self._read(place)
        size = max(1, min(RELEASED_AT_ONCE, LOOKED_THROUGH_AT_ONCE // self._longest))
        for locks in every(self._command):
            suspects = [lock for lock in locks if self._is_suspect(lock)]
            for start in range(0, len(suspects), size):
                yield _release(self._command, suspects[start : start + size], in_any_case=False)
            yield 0

    def _places(self) -> Generator[int, None, set[str]]:
        places: set[str] = set()
        for locks in every(self._command):
            places.update(lock.holder.place for lock in locks if lock.holder and self._is_old(lock))
            yield 0
        return places

    def _read(self, place: str) -> Iterator[int]:
        length = 0
        for texts in _waiting(self._command, place):
            length += len(texts)
            for text in texts:
                if MARK in text:
                    self._waiting.add(text)
            yield 0
        self._longest = max(self._longest, length)

    def _is_suspect(self, lock: SeenLock) -> bool:
        if lock.holder is None:
            return True
        return self._is_old(lock) and lock.holder.text not in self._waiting

    def _is_old(self, lock: SeenLock) -> bool:
        enqueued_at = ids.enqueued_at(lock.id)
        return enqueued_at is None or enqueued_at < self._youngest


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
