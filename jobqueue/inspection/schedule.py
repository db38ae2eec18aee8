"""What Redis tells of recurring jobs: entries that were set at run time, and what became of all entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from jobqueue.connection import keys
from jobqueue.inspection.moments import parse
from jobqueue.inspection.replies import fetch, or_else
from jobqueue.keys import to_text
from jobqueue.masterlock import master_lock


class Fired(NamedTuple):
    """Up to where the ticks of an entry are dealt with."""

    tick_ms: int
    timing: str
    """What its ticks followed from then."""


class State(NamedTuple):
    """All that Redis tells of recurring jobs, at one moment."""

    persistent: dict[str, bytes]
    """The configurations that stand in Redis, as JSON texts."""
    fired: dict[str, Fired]
    last_enqueued: dict[str, datetime | None]
    """When an entry last enqueued a job; None for what is no moment."""
    paused: frozenset[str]
    master: str | None
    """The scheduler of Ruby that is the master now."""
    complaints: tuple[str, ...]
    """What in Redis cannot be read."""


def commands() -> list[tuple[Any, ...]]:
    """Return the reads that ``state_of`` understands the answers of."""
    key = keys()
    return [
        ("HGETALL", key.persistent_schedules),
        ("HGETALL", key.fired),
        ("HGETALL", key.last_enqueued),
        ("SMEMBERS", key.paused_schedule),
        ("GET", master_lock(key)),
    ]


def state() -> tuple[State, datetime]:
    """Return what Redis tells, and the time by its clock, in one round trip. Raises RedisUnreachable."""
    *replies, (seconds, _) = fetch([*commands(), ("TIME",)])
    return state_of(replies), datetime.fromtimestamp(int(seconds), UTC)


def state_of(replies: Sequence[Any]) -> State:
    """Return what the answers to ``commands`` tell; what cannot be read is missing there."""
    complaints: list[str] = []
    names = [command[1] for command in commands()]
    persistent, fired, last, paused, master = (
        or_else([] if place < 4 else None, reply, name, complaints)
        for place, (reply, name) in enumerate(zip(replies, names, strict=True))
    )
    return State(
        _pairs(persistent),
        {name: fired_of(value) for name, value in _pairs(fired).items()},
        {name: parse(to_text(value)) for name, value in _pairs(last).items()},
        frozenset(map(to_text, paused)),
        None if master is None else to_text(master),
        tuple(complaints),
    )


def fired_of(value: bytes) -> Fired:
    """Read up to where an entry's ticks are dealt with; what no script has written is long ago."""
    # More digits are no moment of this millennium
    found = re.fullmatch(r"(-?\d{1,13}) (.*)", to_text(value), re.ASCII | re.DOTALL)
    return Fired(int(found[1]), found[2]) if found else Fired(0, "")


def _pairs(flat: Sequence[bytes]) -> dict[str, bytes]:
    return {to_text(name): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
