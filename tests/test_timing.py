from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobqueue import timing
from jobqueue.exceptions import InvalidSchedule
from jobqueue.timing import CronTiming, EveryTiming

NOON_MS = round(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp() * 1000)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def _timing(**config):
    return timing.read(config, UTC)


def test_cron_has_a_last_tick_after_its_base():
    hourly = _timing(cron="0 * * * *")

    assert hourly.last(NOON_MS - HOUR_MS, NOON_MS + 5) == NOON_MS
    assert hourly.last(NOON_MS - HOUR_MS, NOON_MS) == NOON_MS
    assert hourly.last(NOON_MS, NOON_MS + HOUR_MS - 1) is None
    assert hourly.last(NOON_MS - 100 * HOUR_MS, NOON_MS - 1) == NOON_MS - HOUR_MS


def test_every_keeps_its_pace_from_its_base():
    often = _timing(every="10m")

    assert often.last(NOON_MS, NOON_MS + 9 * MINUTE_MS) is None
    assert often.last(NOON_MS, NOON_MS + 10 * MINUTE_MS) == NOON_MS + 10 * MINUTE_MS
    assert often.last(NOON_MS, NOON_MS + 35 * MINUTE_MS) == NOON_MS + 30 * MINUTE_MS


@pytest.mark.parametrize(
    ("config", "first_ms"),
    [
        ({"cron": "30 12 * * *"}, 30 * MINUTE_MS),
        ({"every": "1h"}, HOUR_MS),
        ({"every": ["1h", {"first_in": "5m"}]}, 5 * MINUTE_MS),
        ({"every": ["1h", {":first_in": 300}]}, 5 * MINUTE_MS),
        ({"every": ["5m", {"first_in": "1h"}]}, HOUR_MS),
        ({"every": timedelta(seconds=1.5)}, 1500),
    ],
)
def test_a_new_entry_begins_with_the_tick_that_comes_next(config, first_ms):
    found = _timing(**config)

    base_ms = found.begin(NOON_MS)

    assert found.last(base_ms, NOON_MS + first_ms - 1) is None
    assert found.last(base_ms, NOON_MS + first_ms) == NOON_MS + first_ms
    assert timing.following(found, base_ms, NOON_MS) == [NOON_MS + first_ms]


def test_the_next_ticks_are_told():
    hourly, often = _timing(cron="0 * * * *"), _timing(every="10m")

    assert timing.following(hourly, 0, NOON_MS, 2) == [NOON_MS + HOUR_MS, NOON_MS + 2 * HOUR_MS]
    assert timing.following(often, NOON_MS, NOON_MS + MINUTE_MS, 2) == [
        NOON_MS + 10 * MINUTE_MS,
        NOON_MS + 20 * MINUTE_MS,
    ]


def test_cron_wins_over_every():
    assert isinstance(_timing(cron="0 * * * *", every="1h"), CronTiming)
    assert isinstance(_timing(cron=["0 * * * *", {"overlap": False}]), CronTiming)
    assert isinstance(_timing(cron="", every="1h"), EveryTiming)


def test_an_entry_without_a_time_never_comes_by_itself():
    assert _timing() is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cron": 8}, "cron: 8 should be a text"),
        ({"cron": "nonsense"}, "cron 'nonsense' cannot be read"),
        ({"every": "soon"}, "every: 'soon' is no length of time"),
        ({"every": ""}, "every: '' should be longer than no time"),
        ({"every": 0}, "should be longer than no time"),
        ({"every": ["1h", {"first_in": "soon"}]}, "first_in: 'soon' is no length"),
        ({"every": ["1h", {"times": 3}]}, "every: the option 'times' is not known here"),
        ({"every": ["1h", "5m"]}, "should be a text, or a list of a text and its options"),
        ({"every": {"first_in": "1h"}}, "is no length of time"),
    ],
)
def test_what_names_no_time_is_refused(config, message):
    with pytest.raises(InvalidSchedule) as refusal:
        _timing(**config)

    assert message in str(refusal.value)
