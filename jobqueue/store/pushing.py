"""Put payloads on a queue, once each, whatever happens to the answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Any

import redis
from redis.exceptions import ConnectionError, NoScriptError, ResponseError, TimeoutError

from jobqueue.conf import settings
from jobqueue.connection import client, keys, reaching
from jobqueue.exceptions import NotReplicated
from jobqueue.scripts import load
from jobqueue.trouble import is_demoted

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

    Raises RedisUnreachable; some payloads may have reached Redis then. Raises NotReplicated when all of
    them have reached Redis, but too few of its replicas.
    """
    shortage: NotReplicated | None = None
    for start in range(0, len(payloads), MOST_PER_SCRIPT):
        try:
            with reaching():
                _push(queue, payloads[start : start + MOST_PER_SCRIPT])
        except NotReplicated as error:
            shortage = error
    if shortage:
        raise shortage


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
    send = _send_and_wait if settings.wait_replicas else load("enqueue")
    began = monotonic()
    try:
        send(redis, to, args)
    except (ConnectionError, TimeoutError, ResponseError) as error:
        if isinstance(error, ResponseError) and not is_demoted(error):
            raise
        if monotonic() - began > REMEMBERED_SECONDS / 2:
            # This process was stopped meanwhile: Redis may have forgotten the number
            raise
        # The other idle connections lead to the same server, which may be gone for good
        redis.connection_pool.disconnect(inuse_connections=False)
        send(redis, to, args)


def _send_and_wait(redis: redis.Redis, to: Sequence[str], args: Sequence[Any]) -> None:
    """Push, and wait in the same round trip until enough replicas have it; raise NotReplicated if not.

    A push that is sent again and ignored waits as well, for all that its server has written until then.
    """
    script = load("enqueue")
    pushed, replicas = _pipelined(redis, script.by_sha(to, args))
    if isinstance(pushed, NoScriptError):
        pushed, replicas = _pipelined(redis, script.by_text(to, args))
    if isinstance(pushed, Exception):
        raise pushed
    if isinstance(replicas, Exception) or replicas < settings.wait_replicas:
        raise NotReplicated(_shortage(args[1], replicas))


def _pipelined(redis: redis.Redis, command: Sequence[Any]) -> list[Any]:
    with redis.pipeline(transaction=False) as pipe:
        pipe.execute_command(*command)
        # 0 would wait for ever
        pipe.execute_command(
            "WAIT", settings.wait_replicas, max(1, round(settings.wait_timeout_seconds * 1000))
        )
        return pipe.execute(raise_on_error=False)


def _shortage(queue: str, replicas: int | Exception) -> str:
    found = f"WAIT fails ({replicas})" if isinstance(replicas, Exception) else f"{replicas} have told so"
    return (
        f"Enqueued in {queue!r}, but not known to be on {settings.wait_replicas} replicas "
        f"(JOBQUEUE_WAIT_REPLICAS): within {settings.wait_timeout_seconds:g} s {found}. "
        "It will be performed, unless a failover to a replica without it loses it. Enqueued again, it is "
        "performed twice."
    )


def _begin_anew_after_fork() -> None:
    global _producer
    _producer = Producer()


os.register_at_fork(after_in_child=_begin_anew_after_fork)
