"""Fire recurring jobs, each tick once, and change the entries of the schedule that stand in Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jobqueue import clock
from jobqueue.connection import client, keys, reaching
from jobqueue.inspection.schedule import Fired, State, commands, fired_of, state_of
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


def begin(link: Link, name: str, fired: Fired) -> Fired:
    """Let the ticks of a new entry count from a moment on, unless they count already; return from when."""
    if link.command("HSETNX", keys().fired, name, f"{fired.tick_ms} {fired.timing}"):
        return fired
    value = link.command("HGET", keys().fired, name)
    return fired if value is None else fired_of(value)


def fire(link: Link, name: str, fired: Fired, made: Made, *, now_ms: int, config: bytes) -> bool:
    """Enqueue the job of a tick, unless this tick or a later one was dealt with; tell whether it was.

    A tick of an entry that is paused, or that a scheduler of Ruby fires, passes. ``config`` is how the entry
    stands in Redis, empty if it does not; nothing happens if it has changed. Raises redis-py's errors.
    """
    key = keys()
    queue = made.queue
    to = [key.fired, key.paused_schedule, key.last_enqueued]
    to += [key.queue(queue), key.queues, key.wake(queue), key.wake_any, key.unique, key.runs]
    to += [key.persistent_schedules, master_lock(key)]
    args = [name, fired.tick_ms, fired.timing, clock.started(now_ms / 1000), *made, key.prefix, config]
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


def keep(link: Link, name: str, config: bytes) -> None:
    """Store the configuration of an entry of this site. Raises redis-py's errors."""
    link.run(Call(load("set_schedule"), _changed_keys(), [name, config]))


def _change(name: str, config: bytes) -> bool:
    with reaching():
        return bool(load("set_schedule")(client(), _changed_keys(), [name, config]))


def _changed_keys() -> list[str]:
    key = keys()
    names = [key.persistent_schedules, key.schedules_changed, key.fired, key.paused_schedule]
    return [*names, key.wake_scheduler]
