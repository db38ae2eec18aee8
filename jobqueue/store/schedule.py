"""Fire recurring jobs, each tick once, and change the entries of the schedule that stand in Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jobqueue import clock
from jobqueue.connection import client, keys, reaching
from jobqueue.inspection.schedule import Fired, State, commands, state_of
from jobqueue.link import Call, Link
from jobqueue.masterlock import master_lock
from jobqueue.scripts import load


class Made(NamedTuple):
    """The job that an entry of the schedule enqueues."""

    queue: str
    payload: bytes
    """Empty to let the tick pass."""
    id: str = ""
    digest: str = ""
    """Of its lock, if it is unique."""


def state(link: Link) -> State:
    """Return all that Redis tells of recurring jobs. Raises redis-py's errors."""
    return state_of(link.exchange(*commands()))


def begin(link: Link, name: str, fired: Fired) -> None:
    """Let the ticks of a new entry count from a moment on, unless they count already."""
    link.command("HSETNX", keys().fired, name, f"{fired.tick_ms} {fired.timing}")


def fire(link: Link, name: str, fired: Fired, made: Made, *, now_ms: int, is_persistent: bool) -> bool:
    """Enqueue the job of a tick, unless this tick or a later one was dealt with; tell whether it was.

    A tick of an entry that is paused, or that a scheduler of Ruby fires, passes. Raises redis-py's errors.
    """
    key = keys()
    queue = made.queue
    to = [key.fired, key.paused_schedule, key.last_enqueued]
    to += [key.queue(queue), key.queues, key.wake(queue), key.wake_any, key.unique, key.runs]
    to += [master_lock(key) if is_persistent else ""]
    args = [name, fired.tick_ms, fired.timing, clock.started(now_ms / 1000), *made, key.prefix]
    (answer,) = link.run(Call(load("fire"), to, args))
    return bool(answer == 1)


def put(name: str, config: bytes) -> bool:
    """Store an entry's configuration; tell whether it took the place of one. Raises RedisUnreachable."""
    return _change(name, config)


def remove(name: str) -> bool:
    """Remove an entry that stands in Redis; tell whether there was one. Raises RedisUnreachable."""
    return _change(name, b"")


def pause(names: Iterable[str]) -> None:
    """Let the ticks of entries pass. Raises RedisUnreachable."""
    with reaching():
        client().sadd(keys().paused_schedule, *names)


def resume(names: Iterable[str]) -> None:
    """Let the next ticks of entries enqueue jobs again. Raises RedisUnreachable."""
    with reaching():
        client().srem(keys().paused_schedule, *names)


def _change(name: str, config: bytes) -> bool:
    key = keys()
    names = [key.persistent_schedules, key.schedules_changed, key.fired, key.paused_schedule]
    with reaching():
        answer = load("set_schedule")(client(), [*names, key.wake_scheduler], [name, config])
    return bool(answer)
