"""Read background values: any number in one round trip, computing none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jobqueue import rubyjson
from jobqueue.connection import keys
from jobqueue.inspection.replies import fetch

NOT_COMPUTED = "not computed yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A background value as it stands in Redis; its text is the value's."""

    value: Any = None
    computed_at: datetime | None = None
    """When the result was stored, by the clock of Redis; None if there is none."""
    age: timedelta | None = None
    """How long ago that was."""

    @property
    def is_computed(self) -> bool:
        return self.computed_at is not None

    def __str__(self) -> str:
        return str(self.value) if self.is_computed else NOT_COMPUTED


def read(names: Sequence[str]) -> list[Reading]:
    """Return the readings of these values, in their order; raise RedisUnreachable.

    What cannot be read counts as not computed.
    """
    if not names:
        return []
    commands = [("HMGET", keys().value(name), "value", "at") for name in names]
    now, *replies = fetch([("TIME",), *commands])
    moment = datetime.fromtimestamp(int(now[0]), UTC) + timedelta(microseconds=int(now[1]))
    return [_reading(reply, moment) for reply in replies]


def _reading(reply: Any, now: datetime) -> Reading:
    try:
        value, at = reply
        computed_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(at))
        return Reading(value=rubyjson.decode(value), computed_at=computed_at, age=now - computed_at)
    except (TypeError, ValueError, OverflowError):
        return Reading()
