"""Lengths of time as resque-scheduler names them: ``30s``, ``1h30m``, ``2 days``, ``PT30M``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from jobqueue.exceptions import InvalidSchedule
from jobqueue.rubyjson import shown

SECONDS = {"y": 31_536_000, "M": 2_592_000, "w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""A year has 365 days, a month 30. Of the letters only M, a month, and m, a minute, have two meanings."""

_WORDS = {
    "y": "y|years?",
    "M": "M|mon|months?",
    "w": "w|weeks?",
    "d": "d|days?",
    "h": "h|hours?",
    "m": "m|mins?|minutes?",
    "s": "s|secs?|seconds?",
}
_NUMBER = r"(\d+(?:\.\d+)?)"
_UNIT = "|".join(f"(?P<{unit}>{words})" for unit, words in _WORDS.items())
_PART = re.compile(rf"{_NUMBER}\s*(?:{_UNIT})(?![a-zA-Z])\s*", re.ASCII)
_ISO = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_LONGEST_TEXT = 100
_LONGEST_SECONDS = 100 * SECONDS["y"]


def seconds(duration: Any) -> float:
    """Return a length of time in seconds: of a text, a number of seconds, or a timedelta.

    Raises InvalidSchedule for any other; an empty text is no time, as in Ruby.
    """
    found = _seconds(duration)
    if found is None or not 0 <= found <= _LONGEST_SECONDS:
        raise InvalidSchedule(
            f"{shown(duration)} is no length of time: it should be like '30s', '1h30m', '2 days', 'PT30M', "
            "or a number of seconds, and at most 100 years"
        )
    return found


def text(duration: Any) -> str:
    """Return a length of time as resque-scheduler reads it too; raise InvalidSchedule."""
    if isinstance(duration, str):
        seconds(duration)
        return duration
    return f"{seconds(duration):.3f}".rstrip("0").rstrip(".") + "s"


def _seconds(duration: Any) -> float | None:
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        return duration
    if not isinstance(duration, str) or len(duration) > _LONGEST_TEXT:
        return None
    if re.fullmatch(_NUMBER, duration, re.ASCII):
        return float(duration)
    return _of_iso(duration) if duration.startswith("P") else _of_parts(duration)


def _of_parts(duration: str) -> float | None:
    place, total = 0, 0.0
    while place < len(duration):
        part = _PART.match(duration, place)
        if part is None:
            return None
        total += float(part[1]) * SECONDS[part.lastgroup or ""]
        place = part.end()
    return total


def _of_iso(duration: str) -> float | None:
    found = _ISO.fullmatch(duration)
    if found is None or duration[-1] in "PT":
        return None
    return sum(
        float(number) * unit for number, unit in zip(found.groups(), SECONDS.values(), strict=True) if number
    )
