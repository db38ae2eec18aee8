"""Put payloads on a queue, once each, whatever happens to the answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import redis
from redis.exceptions import ConnectionError, ResponseError, TimeoutError

from jobqueue.connection import client, is_demoted, keys, reaching
from jobqueue.scripts import load

MOST_PER_SCRIPT = 1000
"""Lua hands at most some thousands of values to one command."""
REMEMBERED_SECONDS = 60
"""How long Redis remembers a producer's last number: longer than anything is sent again."""


class Producer(threading.local):
    """Numbers the pushes of one thread, so that Redis knows one that is sent again.

    Only one push of a producer is under way at a time: were there two, the later number would hide
    the earlier one.
    """

    def __init__(self) -> None:
        self.name = os.urandom(8).hex()
        self.number = 0
        self.is_pushing = False

    def next_number(self) -> int:
        self.number += 1
        return self.number


_producer = Producer()


def push(queue: str, payloads: Sequence[bytes]) -> None:
    """Append payloads to a queue in their order and wake a worker; atomic for up to 1,000 payloads.

    Raises RedisUnreachable; some payloads may have reached Redis then.
    """
    for start in range(0, len(payloads), MOST_PER_SCRIPT):
        with reaching():
            _push(queue, payloads[start : start + MOST_PER_SCRIPT])


def _push(queue: str, payloads: Sequence[bytes]) -> None:
    key = keys()
    # A signal handler that enqueues may have interrupted a push of this thread
    producer = Producer() if _producer.is_pushing else _producer
    producer.is_pushing = True
    try:
        to = [key.sent(producer.name), key.queue(queue), key.queues, key.wake(queue), key.wake_any]
        _run_again_if_cut(client(), to, [producer.next_number(), queue, REMEMBERED_SECONDS, *payloads])
    finally:
        producer.is_pushing = False


def _run_again_if_cut(redis: redis.Redis, to: Sequence[str], args: Sequence[Any]) -> None:
    """Send once more after a cut connection: the number tells Redis whether the first attempt had arrived."""
    script = load("enqueue")
    try:
        script(redis, to, args)
    except (ConnectionError, TimeoutError):
        script(redis, to, args)
    except ResponseError as error:
        if not is_demoted(error):
            raise
        redis.connection_pool.disconnect()
        script(redis, to, args)


def _begin_anew_after_fork() -> None:
    global _producer
    _producer = Producer()


os.register_at_fork(after_in_child=_begin_anew_after_fork)
