"""Change queues as a whole: remove them, take jobs out of them, pause and resume them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from jobqueue.connection import client, keys, reaching
from jobqueue.locks import lock_of, place
from jobqueue.scripts import load
from jobqueue.store.unlocking import release_orphans_of

MOST_PER_SCRIPT = 100


def remove_queue(queue: str) -> None:
    """Remove a queue with all jobs that wait in it, and then their locks. Raises RedisUnreachable."""
    key = keys()
    with reaching():
        load("remove_queue")(client(), [key.queues, key.paused, key.queue(queue), key.wake(queue)], [queue])
    release_orphans_of(place(queue))


def remove_jobs(queue: str, payloads: Sequence[bytes]) -> int:
    """Remove every waiting payload that is byte for byte one of these; return how many there were.

    Raises RedisUnreachable.
    """
    key, removed = keys(), 0
    for start in range(0, len(payloads), MOST_PER_SCRIPT):
        some = chain.from_iterable(map(_with_lock, payloads[start : start + MOST_PER_SCRIPT]))
        with reaching():
            removed += load("remove_jobs")(client(), [key.queue(queue), key.unique], list(some))
    return removed


def _with_lock(payload: bytes) -> tuple[bytes, str, str]:
    lock = lock_of(payload)
    return (payload, lock.digest, lock.id) if lock else (payload, "", "")


def pause(queue: str) -> None:
    """Let our workers claim nothing from a queue (Ruby workers do not know of it)."""
    with reaching():
        client().sadd(keys().paused, queue)


def resume(queue: str) -> None:
    """Let workers claim from a paused queue again, and wake one if jobs wait."""
    key = keys()
    with reaching():
        load("resume")(client(), [key.paused, key.queue(queue), key.wake(queue)], [queue])
