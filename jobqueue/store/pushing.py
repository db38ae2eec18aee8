"""Put payloads on a queue, or away for later, once each, whatever happens to the answer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from time import monotonic
from typing import Any, TypeVar

from redis.exceptions import ConnectionError, NoScriptError, ResponseError, TimeoutError

from jobqueue.conf import settings
from jobqueue.connection import Target, keys, reaching, target
from jobqueue.exceptions import NotReplicated
from jobqueue.keys import Keys
from jobqueue.link import Call, Link
from jobqueue.scripts import load
from jobqueue.trouble import is_demoted

T = TypeVar("T")

MOST_PER_SCRIPT = 1000
"""Lua hands at most some thousands of values to one command."""
REMEMBERED_SECONDS = 60
"""How long Redis remembers a producer's last number: longer than anything is sent again."""


class Producer:
    """A connection whose pushes are numbered, so that Redis knows one that is sent again.

    Only one push of a producer is under way at a time: were there two, the later number would hide
    the earlier one.
    """

    def __init__(self, target: Target) -> None:
        self.name = os.urandom(8).hex()
        self.number = 0
        self.target = target
        self.link = Link()

    def send(self, script: str, names: Sequence[str], args: Sequence[Any], done: str) -> Any:
        """Run a script that knows repetitions by their number; ``names`` are its keys but the first, of that.

        In one round trip; once more after a cut connection, since the first attempt may have arrived.
        ``done`` says what is then done. Returns its answer; raises redis-py's errors, and NotReplicated.
        """
        self.number += 1
        to = [keys(self.target.address).sent(self.name), *names]
        call = Call(load(script), to, [self.number, REMEMBERED_SECONDS, *args])
        self.link.close_if_ended()
        began = monotonic()
        try:
            return self._send(call, done)
        except (ConnectionError, TimeoutError, ResponseError) as error:
            if isinstance(error, ResponseError) and not is_demoted(error):
                raise
            if monotonic() - began > REMEMBERED_SECONDS / 2:
                # This process was stopped meanwhile: Redis may have forgotten the number
                raise
            # The other idle connections lead to the same server, which may be gone for good
            _idle.clear()
            return self._send(call, done)

    def _send(self, call: Call, done: str) -> Any:
        if settings.wait_replicas:
            return self._send_and_wait(call, done)
        return self.link.run(call)[0]

    def _send_and_wait(self, call: Call, done: str) -> Any:
        """Wait in the same round trip until enough replicas have it; raise NotReplicated if they have not.

        A push that is sent again and ignored waits as well, for all that its server has written until then.
        """
        # 0 would wait for ever
        wait = "WAIT", settings.wait_replicas, max(1, round(settings.wait_timeout_seconds * 1000))
        pushed, replicas = self.link.exchange(call.script.by_sha(call.keys, call.args), wait)
        if isinstance(pushed, NoScriptError):
            pushed, replicas = self.link.exchange(call.script.by_text(call.keys, call.args), wait)
        if isinstance(pushed, Exception):
            raise pushed
        if isinstance(replicas, Exception) or replicas < settings.wait_replicas:
            raise NotReplicated(_shortage(done, replicas), [pushed])
        return pushed


_idle: deque[Producer] = deque()
"""The producers that are not pushing. Whoever pushes takes one out, a signal handler too, or makes one."""


def push(queue: str, payloads: Sequence[bytes]) -> None:
    """Append payloads to a queue in their order and wake a worker; atomic for up to 1,000 payloads.

    Raises RedisUnreachable; some payloads may have reached Redis then. Raises NotReplicated when all of
    them have reached Redis, but too few of its replicas.
    """

    def names(key: Keys) -> list[str]:
        return [key.queue(queue), key.queues, key.wake(queue), key.wake_any]

    done = f"Enqueued in {queue!r}"
    if len(payloads) == 1:
        # As nearly always: no step more than an enqueue costs in any case
        with reaching():
            _send("enqueue", names, [queue, payloads[0]], done)
    else:
        _in_parts("enqueue", names, ([queue, *some] for some in _parts(payloads)), done)


def send(
    script: str,
    names: Callable[[Keys], Sequence[str]],
    args: Sequence[Any],
    items: Sequence[Sequence[Any]],
    done: str,
    most: int = MOST_PER_SCRIPT,
) -> list[Any]:
    """Run a script that knows repetitions by their number, for up to ``most`` items at a time, once each.

    ``names`` returns its keys; ``args`` are its arguments before those of the items; ``done`` says what is
    then done. Returns its answers; raises as ``push`` does.
    """
    parts = ([*args, *chain.from_iterable(some)] for some in _parts(items, most))
    return _in_parts(script, names, parts, done)


def _parts(items: Sequence[T], most: int = MOST_PER_SCRIPT) -> Iterator[Sequence[T]]:
    return (items[start : start + most] for start in range(0, len(items), most))


def _in_parts(
    script: str, names: Callable[[Keys], Sequence[str]], parts: Iterable[Sequence[Any]], done: str
) -> list[Any]:
    """Run a script for the arguments of each part; too few replicas of one part stop no other."""
    answers: list[Any] = []
    shortage: NotReplicated | None = None
    for args in parts:
        try:
            with reaching():
                answers.append(_send(script, names, args, done))
        except NotReplicated as error:
            answers += error.answers
            shortage = error
    if shortage:
        shortage.answers = answers
        raise shortage
    return answers


def _send(script: str, names: Callable[[Keys], Sequence[str]], args: Sequence[Any], done: str) -> Any:
    producer = _take()
    try:
        return producer.send(script, names(keys(producer.target.address)), args, done)
    finally:
        _idle.append(producer)


def _take() -> Producer:
    wanted = target()
    try:
        producer = _idle.pop()
    except IndexError:
        return Producer(wanted)
    return producer if producer.target == wanted else Producer(wanted)


def _shortage(done: str, replicas: int | Exception) -> str:
    found = f"WAIT fails ({replicas})" if isinstance(replicas, Exception) else f"{replicas} have told so"
    return (
        f"{done}, but not known to be on {settings.wait_replicas} replicas "
        f"(JOBQUEUE_WAIT_REPLICAS): within {settings.wait_timeout_seconds:g} s {found}. "
        "It will be performed, unless a failover to a replica without it loses it. Enqueued again, it is "
        "performed twice."
    )


def _forget_after_fork() -> None:
    """Let a child share neither its parent's connections nor their numbers."""
    _idle.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
