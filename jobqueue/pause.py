"""How long a job waits before it is tried again, as users say it: seconds, or a timedelta."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

Pause = float | timedelta

LONGEST_SECONDS = 315_576_000
"""Ten years: whoever waits longer has made a mistake, and no page could show some of those moments."""


def pause_seconds(pause: Any) -> float:
    """Return a pause in seconds; raise ValueError if it is none."""
    seconds = pause.total_seconds() if isinstance(pause, timedelta) else pause
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(
            f"{pause!r} should be a number of seconds or a timedelta, not negative and at most ten years"
        )
    return float(seconds)
