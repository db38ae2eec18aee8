from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from jobqueue import duetime
from jobqueue.exceptions import InvalidArguments

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize("delay", [90, 90.0, timedelta(minutes=1, seconds=30)])
def test_a_delay_counts_from_now(monkeypatch, delay):
    monkeypatch.setattr(duetime.time, "time", lambda: 1_000.5)

    assert duetime.after(delay) == 1_090_500


@pytest.mark.parametrize(
    "delay", ["90", -1, -0.001, timedelta(seconds=-1), True, None, float("nan"), float("inf"), 1e300]
)
def test_what_is_no_delay_is_refused(delay):
    with pytest.raises(InvalidArguments, match=r"^delay: .* should be a number of seconds or a timedelta"):
        duetime.after(delay)


def test_an_aware_moment_is_that_moment():
    assert duetime.at(datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)) == 1_900_000_000_000
    assert duetime.at(datetime(2030, 3, 17, 13, 46, 40, 123_456, tzinfo=NEW_YORK)) == 1_900_000_000_123


def test_a_naive_moment_is_read_in_the_current_time_zone():
    with timezone.override(NEW_YORK):
        assert duetime.at(datetime(2030, 3, 17, 13, 46, 40)) == 1_900_000_000_000


@pytest.mark.parametrize("moment", ["2030-03-17", 1_900_000_000, -1, date(2030, 3, 17), timedelta(1), None])
def test_what_is_no_moment_is_refused(moment):
    with pytest.raises(InvalidArguments, match=r"^moment: .* should be a datetime; enqueue_in takes seconds"):
        duetime.at(moment)


@pytest.mark.parametrize("zone", [NEW_YORK, ZoneInfo("Europe/Berlin")])
@pytest.mark.parametrize("moment", [datetime.max, datetime.max.replace(tzinfo=UTC)])
def test_a_moment_that_no_page_could_show_is_refused(zone, moment):
    with timezone.override(zone), pytest.raises(InvalidArguments, match="too far away"):
        duetime.at(moment)


@pytest.mark.parametrize(
    "moment", [datetime.min, datetime(9998, 12, 31, 23, tzinfo=timezone.get_fixed_timezone(-840))]
)
def test_a_moment_that_has_no_name_elsewhere_is_refused(moment):
    with timezone.override(ZoneInfo("Europe/Berlin")), pytest.raises(InvalidArguments, match="too far away"):
        duetime.at(moment)


def test_moments_are_ahead_or_not():
    assert duetime.ahead(later := duetime.after(60)) == later
    assert duetime.ahead(duetime.after(0) - 1) is duetime.ahead(None) is None


def test_a_moment_is_shown_in_utc():
    assert duetime.as_datetime(1_900_000_000_250) == datetime(2030, 3, 17, 17, 46, 40, 250_000, UTC)
