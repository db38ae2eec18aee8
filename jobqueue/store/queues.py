"""Change queues as a whole: remove them, take jobs out of them, pause and resume them."""

from __future__ import annotations

from collections.abc import Sequence

from jobqueue.connection import client, keys, reaching
from jobqueue.scripts import load

MOST_PER_SCRIPT = 100


def remove_queue(queue: str) -> None:
    """Remove a queue with all jobs that wait in it. Raises RedisUnreachable."""
    key = keys()
    with reaching():
        load("remove_queue")(client(), [key.queues, key.paused, key.queue(queue), key.wake(queue)], [queue])


def remove_jobs(queue: str, payloads: Sequence[bytes]) -> int:
    """Remove every waiting payload that is byte for byte one of these; return how many there were.

    Raises RedisUnreachable.
    """
    removed = 0
    for start in range(0, len(payloads), MOST_PER_SCRIPT):
        with reaching():
            removed += load("remove_jobs")(
                client(), [keys().queue(queue)], payloads[start : start + MOST_PER_SCRIPT]
            )
    return removed


def pause(queue: str) -> None:
    """Let our workers claim nothing from a queue (Ruby workers do not know of it)."""
    with reaching():
        client().sadd(keys().paused, queue)


def resume(queue: str) -> None:
    """Let workers claim from a paused queue again, and wake one if jobs wait."""
    key = keys()
    with reaching():
        load("resume")(client(), [key.paused, key.queue(queue), key.wake(queue)], [queue])
