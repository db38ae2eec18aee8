"""When a delayed job is due, as users say it: a moment, or a time from now. In ms since the epoch."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from jobqueue import rubyjson
from jobqueue.exceptions import InvalidArguments
from jobqueue.pause import Pause, pause_seconds

YEAR_OF_NO_PAGE = 9999


def after(pause: Pause) -> int:
    """Return the moment that comes so many seconds, or a timedelta, from now; raise InvalidArguments."""
    try:
        seconds = pause_seconds(pause)
    except ValueError as error:
        raise InvalidArguments(f"delay: {error}") from error
    # Cut, so that what is to wait for no time is due at once
    return int((time.time() + seconds) * 1000)


def at(moment: Any) -> int:
    """Return a moment; a naive one is read in Django's current time zone. Raise InvalidArguments."""
    if not isinstance(moment, datetime):
        raise InvalidArguments(
            f"moment: {rubyjson.shown(moment)} should be a datetime; enqueue_in takes seconds, or a timedelta"
        )
    try:
        aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
        utc = aware.astimezone(UTC)
    except (ValueError, OverflowError):
        # Near the ends of time another zone may have no name for it
        utc = datetime.max
    if YEAR_OF_NO_PAGE in (moment.year, utc.year):
        raise InvalidArguments(f"moment: {moment} is too far away for a page to show it in every time zone")
    return round(utc.timestamp() * 1000)


def ahead(moment_ms: int | None) -> int | None:
    """Return a moment that is still to come, by this machine's clock; None for any other, or none."""
    return moment_ms if moment_ms is not None and moment_ms > time.time() * 1000 else None


def as_datetime(moment_ms: int) -> datetime:
    """Return a moment as a datetime, in UTC."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)
