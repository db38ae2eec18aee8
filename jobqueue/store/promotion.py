"""Bring delayed jobs that are due to their queues: what schedulers do to Redis.

Each job is brought in one step with its removal, so any number of schedulers may run, and die at any point.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import NamedTuple

from jobqueue import delayed, failure, locks
from jobqueue.conf import hostname
from jobqueue.connection import keys
from jobqueue.exceptions import InvalidPayload
from jobqueue.keys import Keys, to_text
from jobqueue.link import Call, Link
from jobqueue.masterlock import master_lock
from jobqueue.scripts import load

MOST = 500
MOST_BARE = 100
"""Each of these takes a look at those behind it, for one that is equal."""
FEWEST = 5
LARGE_BYTES = 2_000_000
"""Batches that are larger are halved, so that no job is so large that a scheduler grows."""
SCRIPT_BYTES = 100_000
"""No script gets more, but of one job: Lua looks for an equal among the texts that it has, which takes long
where they are long and differ little.
"""
IS_FOREIGN = -1
END_OF_TIME_MS = 2**53
"""No moment in a sorted set is known so exactly."""


class Batch(NamedTuple):
    """What became of some jobs that were due."""

    promoted: int = 0
    size_bytes: int = 0
    goes_on: bool = False
    """There may be more that can be brought now."""

    def next_most(self, before: int, most: int = MOST) -> int:
        """Return how many to take at once after this batch, for which it was ``before``."""
        if self.size_bytes > LARGE_BYTES:
            return max(1, before // 2)
        return min(most, max(FEWEST, before * 2))


def now_ms(link: Link) -> int:
    """Return the time by Redis's clock, in ms. Raises redis-py's errors, as all of these do."""
    return int(link.now() * 1000)


def next_moment_ms(link: Link) -> int | None:
    """Return when the first job of ours is due; None if there is none."""
    first = link.command("ZRANGE", keys().later, 0, 0, "WITHSCORES")
    return _moment_ms(first, 1)


def next_bare_moment_ms(link: Link) -> int | None:
    """Return when the first job in resque-scheduler's keys is due; None if there is none."""
    first = link.command("ZRANGE", keys().delayed_times, 0, 0, "WITHSCORES")
    return _moment_ms(first, 1000)


def _moment_ms(first: Sequence[bytes], unit_ms: int) -> int | None:
    """Return the moment of the first member of a sorted set; None if that is at no time."""
    return int(moment) if first and isfinite(moment := float(first[1]) * unit_ms) else None


def promote(link: Link, until_ms: int, most: int = MOST) -> Batch:
    """Bring up to ``most`` jobs of ours that are due to their queues, oldest first.

    One that names no queue, or cannot be read, becomes a failure.
    """
    found = link.command("ZRANGEBYSCORE", keys().later, "-inf", until_ms, "WITHSCORES", "LIMIT", 0, most)
    due = sorted(
        (float(moment), _prepared(text)) for text, moment in zip(found[::2], found[1::2], strict=True)
    )
    return _bring(link, [each for _, each in due], until_ms)


def bring(link: Link, texts: Sequence[bytes]) -> Batch:
    """Bring jobs of ours to their queues that may not be due yet."""
    return _bring(link, [_prepared(text) for text in texts], END_OF_TIME_MS)


def _bring(link: Link, due: Sequence[Prepared], until_ms: int) -> Batch:
    key = keys()

    def call(some: Sequence[Prepared]) -> Call:
        to = [key.later, key.queues, key.failed, key.wake_any, key.unique]
        moved = [each for each in some if locks.MARK in each.text]
        own = [part for each in moved for part in _lock(each)]
        return Call(load("promote"), to, [*_prefixes(key), until_ms, len(own) // 4, *own, *_parts(some)])

    return _brought(link, due, call)


def promote_bare(link: Link, until_ms: int, most: int = MOST_BARE) -> Batch:
    """Bring up to ``most`` jobs of the first time in resque-scheduler's keys that is due to their queues.

    None while a scheduler of Ruby is the master.
    """
    key = keys()
    if is_ruby_master(link):
        return Batch()
    times = link.command("ZRANGEBYSCORE", key.delayed_times, "-inf", until_ms // 1000, "LIMIT", 0, 1)
    if not times:
        return Batch()
    texts = link.command("LRANGE", key.delayed(to_text(times[0])), 0, most - 1)
    batch = bring_bare(link, to_text(times[0]), texts, master_lock(key))
    # A time whose jobs were all removed is gone now, and another one comes next
    return batch if texts else Batch(goes_on=True)


def bring_bare(link: Link, time: str, texts: Sequence[bytes], lock: str = "") -> Batch:
    """Bring jobs of one time in resque-scheduler's keys to their queues, if nobody holds the lock."""
    key = keys()

    def call(some: Sequence[Prepared]) -> Call:
        own = [key.delayed_times, key.delayed(""), key.timestamps("")]
        to = [*own, key.queues, key.failed, key.wake_any, *([lock] if lock else [])]
        return Call(load("promote_bare"), to, [*_prefixes(key), time, *_parts(some)])

    return _brought(link, [_prepared(text) for text in texts], call)


def is_ruby_master(link: Link) -> bool:
    """Tell whether a scheduler of Ruby is the master now, which promotes what stands in its keys."""
    return bool(link.command("EXISTS", master_lock(keys())))


class Prepared(NamedTuple):
    """A due job, and where it goes; those of one moment in the order of their ids."""

    id: str
    text: bytes
    queue: str
    payload: bytes
    """Or, without a queue, the failure's entry."""


def _prepared(text: bytes) -> Prepared:
    try:
        queue, payload, id = delayed.read(text)
    except InvalidPayload as error:
        return Prepared("", text, "", _failure(text, error))
    return Prepared(id, text, queue, payload)


def _failure(text: bytes, error: Exception, queue: str = "") -> bytes:
    kind, message, _ = failure.describe(error)
    worker = f"{hostname()}:{os.getpid()}:scheduler"
    return failure.entry(text, exception=kind, error=message, backtrace=[], worker=worker, queue=queue)


def _brought(link: Link, due: Sequence[Prepared], call: Callable[[Sequence[Prepared]], Call]) -> Batch:
    """Bring jobs to their queues, by as many scripts as it takes for none of them to take long."""
    taken = [_brought_at_once(link, some, call) for some in _parted(due)]
    size_bytes = sum(len(each.text) for each in due)
    return Batch(sum(promoted for promoted, _ in taken), size_bytes, bool(due) and all(go for _, go in taken))


def _brought_at_once(
    link: Link, due: Sequence[Prepared], call: Callable[[Sequence[Prepared]], Call]
) -> tuple[int, bool]:
    """Bring jobs to their queues; let those fail whose queue cannot take them.

    Returns how many were brought, and whether none had to stay.
    """
    (answer,) = link.run(call(due))
    promoted, stuck = max(0, answer[0]), set(answer[1:])
    if failing := [_stuck(each) for each in due if each.text in stuck and each.queue]:
        (answer,) = link.run(call(failing))
        promoted += max(0, answer[0])
    return promoted, answer[0] != IS_FOREIGN and len(answer) == 1


def _parted(due: Sequence[Prepared]) -> Iterator[Sequence[Prepared]]:
    """Yield jobs in parts of no more than SCRIPT_BYTES, or of one; one empty part if there are none."""
    first = size_bytes = 0
    for place, each in enumerate(due):
        size_bytes += len(each.text)
        if size_bytes > SCRIPT_BYTES and place > first:
            yield due[first:place]
            first, size_bytes = place, len(each.text)
    yield due[first:]


def _stuck(due: Prepared) -> Prepared:
    error = InvalidPayload(
        f"the key of the queue {due.queue!r} holds another type of value, so no job can be put there"
    )
    return due._replace(queue="", payload=_failure(due.payload, error, due.queue))


def _lock(due: Prepared) -> Sequence[bytes | str]:
    """Return what a unique job's lock becomes when the job is brought; nothing of one that is not unique."""
    lock = locks.lock_of(due.text)
    if lock is None:
        return ()
    value = locks.held(lock.id, locks.place(due.queue), due.payload) if due.queue else b""
    return due.text, lock.digest, lock.id, value


def _prefixes(key: Keys) -> list[str]:
    return [key.queue(""), key.wake("")]


def _parts(due: Sequence[Prepared]) -> list[bytes | str]:
    return [part for each in due for part in (each.text, each.queue, each.payload)]
