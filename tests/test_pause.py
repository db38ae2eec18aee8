from __future__ import annotations

from datetime import timedelta

import pytest

from jobqueue.pause import LONGEST_SECONDS, pause_seconds


@pytest.mark.parametrize(
    ("pause", "seconds"),
    [(0, 0.0), (2, 2.0), (0.5, 0.5), (timedelta(minutes=2), 120.0), (LONGEST_SECONDS, LONGEST_SECONDS)],
)
def test_a_pause_is_a_number_of_seconds_or_a_timedelta(pause, seconds):
    assert pause_seconds(pause) == seconds


@pytest.mark.parametrize(
    "pause",
    [-1, timedelta(seconds=-1), True, "5", None, [5], float("nan"), float("inf"), 2 * LONGEST_SECONDS],
)
def test_anything_else_is_none(pause):
    with pytest.raises(ValueError, match="should be a number of seconds or a timedelta, not negative") as no:
        pause_seconds(pause)

    assert str(no.value).startswith(repr(pause))
