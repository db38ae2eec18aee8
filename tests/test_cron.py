from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobqueue.cron import Cron
from jobqueue.exceptions import InvalidSchedule

from .goldenfiles import golden

SAMPLE = datetime(2026, 11, 21, 12, 34, 56, tzinfo=UTC)
RECORDED = golden("schedule_expressions")
ACCEPTED = [case for case in RECORDED["cron"] if "refused" not in case]
REFUSED = [case["cron"] for case in RECORDED["cron"] if "refused" in case]


def _next(text, moment, count, zone=UTC):
    cron, found = Cron.parse(text, zone), []
    while len(found) < count:
        moment = cron.after(moment)
        found.append(moment)
    return [time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in found]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["cron"])
def test_times_are_those_of_ruby(case):
    assert _next(case["cron"], SAMPLE, 3) == case["next_after_2026-11-21T12:34:56Z"]


@pytest.mark.parametrize("text", REFUSED)
def test_what_ruby_cannot_read_is_refused(text):
    with pytest.raises(InvalidSchedule, match="cannot be read"):
        Cron.parse(text)


@pytest.mark.parametrize("case", RECORDED["daylight_saving"], ids=lambda case: case["from"])
def test_clocks_that_are_put_forward_and_back_are_followed_as_in_ruby(case):
    assert _next(case["cron"], datetime.fromisoformat(case["from"]), 5) == case["next"]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        # The zone at the end wins over the one beside
        ("0 8 * * * UTC", ["2026-11-22T08:00:00Z"]),
        ("0 8 * * *", ["2026-11-22T07:00:00Z"]),
        ("0 8 * * * +09:00", ["2026-11-21T23:00:00Z"]),
        # Names in any case, in lists, ranges that wrap
        ("0 0 * * SUN,Fri", ["2026-11-21T23:00:00Z", "2026-11-26T23:00:00Z"]),
        ("0 1 * * fri-sun", ["2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z"]),
        ("0 1 1 nov-jan *", ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-11-01T00:00:00Z"]),
        ("55-5/5 * * * *", ["2026-11-21T12:55:00Z", "2026-11-21T13:00:00Z", "2026-11-21T13:05:00Z"]),
        ("0 1 * * MON-TUE", ["2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-30T00:00:00Z"]),
        # Days from the month's end
        ("0 1 -2 * *", ["2026-11-29T00:00:00Z", "2026-12-30T00:00:00Z"]),
        ("0 1 -2-L * *", ["2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z", "2026-12-30T00:00:00Z"]),
        ("0 1 * * fri#L", ["2026-11-27T00:00:00Z", "2026-12-25T00:00:00Z"]),
        ("0 1 * * mon%2+1", ["2026-11-30T00:00:00Z", "2026-12-14T00:00:00Z"]),
        # Either of the days, though one begins with a star
        ("0 1 */20 * mon", ["2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"]),
        ("0 1 29 2 *", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
    ],
)
def test_times_are_found_in_a_zone(text, times):
    assert _next(text, SAMPLE, len(times), ZoneInfo("Europe/Berlin")) == times


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("61 * * * *", "'61' is no minute, which goes from 0 to 59"),
        ("0 0 * * lundi", "'lundi' is no weekday, which goes from 0 to 7"),
        ("*/0 * * * *", "'0' is no step, which goes from 1 to 99"),
        ("0 0 L-25 * *", "'l' is no day of the month"),
        ("0 0 -1--3 * *", "the range '-1--3' goes backwards"),
        ("0 0 LW * *", "'lw' is no day of the month"),
        ("0 0 * * 1L", "'1l' is no weekday"),
        ("0 0 31 4,6 *", "a time that never comes"),
        # When clocks are put forward there
        ("30 2 * 3 sun#-1 Europe/Berlin", "a time that never comes"),
        ("0 0 * * mon%0", "'mon%0' is no weekday"),
        ("0 8 * * * Europe/Berlinn", "there is no time zone 'Europe/Berlinn'"),
        ("0 8 * * * +99:00", "there is no time zone '+99:00'"),
        ("0 8 * * * +01:75", "there is no time zone '+01:75'"),
    ],
)
def test_a_refusal_names_what_is_wrong(text, message):
    with pytest.raises(InvalidSchedule) as refusal:
        Cron.parse(text)

    assert message in str(refusal.value)
    assert repr(text) in str(refusal.value)


def _walked(cron, start, minutes):
    """Return the times found by looking at each minute, as cron itself would."""
    found, seen = [], set()
    for step in range(1, minutes):
        moment = start + timedelta(minutes=step)
        local = moment.astimezone(cron.zone)
        clock = local.replace(tzinfo=None, fold=0)
        _, minute, hour = (
            range(60) if each == "*" else {int(number) for number in each.split(",")}
            for each in cron._fields.split()[:3]
        )
        is_repeated = cron._goes_by_clock and clock in seen
        if clock.minute in minute and clock.hour in hour and not is_repeated:
            found.append(moment)
            seen.add(clock)
    return found


def test_a_text_of_megabytes_is_refused_in_a_few_words():
    with pytest.raises(InvalidSchedule, match="it is too long") as refusal:
        Cron.parse("1," * 1_000_000 + "1 * * * *")

    assert len(str(refusal.value)) < 1_000


FIXED = ["30 2 * * *", "15,45 1-3 * * *", "0 0 * * *"]
STEADY = ["*/20 2 * * *", "10 * * * *", "50 * * * *", "40 */2 * * *", "*/7 1-3 * * *", "* * * * *"]
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29)),
    ("Europe/Berlin", datetime(2026, 10, 25)),
    ("America/New_York", datetime(2026, 3, 8)),
    ("America/New_York", datetime(2026, 11, 1)),
    # Midnight is skipped
    ("Asia/Beirut", datetime(2026, 3, 29)),
    # By half an hour, and by two
    ("Australia/Lord_Howe", datetime(2026, 4, 5)),
    ("Australia/Lord_Howe", datetime(2026, 10, 4)),
    ("Antarctica/Troll", datetime(2026, 3, 29)),
    ("Antarctica/Troll", datetime(2026, 10, 25)),
]


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [(text, *change) for text in FIXED + STEADY for change in CHANGES],
)
def test_times_are_found_forward_and_back_across_changes_of_the_clock(text, zone, day):
    cron = Cron.parse(text, ZoneInfo(zone))
    start = day.replace(tzinfo=cron.zone).astimezone(UTC) - timedelta(days=1)
    walked = _walked(cron, start, 3 * 24 * 60)

    forward = [cron.after(moment) for moment in [start, *walked[:-1]]]

    assert forward == walked
    for time, following in zip(walked, walked[1:], strict=False):
        assert cron.until(time) == time
        assert cron.until(following - timedelta(microseconds=1)) == time
