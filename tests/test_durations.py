from __future__ import annotations

from datetime import timedelta

import pytest

from jobqueue import durations
from jobqueue.exceptions import InvalidSchedule

from .goldenfiles import golden

RECORDED = golden("schedule_expressions")["every"]


@pytest.mark.parametrize(
    "case", [case for case in RECORDED if "seconds" in case], ids=lambda case: case["every"]
)
def test_durations_are_read_as_by_ruby(case):
    assert durations.seconds(case["every"]) == case["seconds"]


@pytest.mark.parametrize("text", [case["every"] for case in RECORDED if "refused" in case])
def test_what_ruby_cannot_read_is_refused(text):
    with pytest.raises(InvalidSchedule, match="is no length of time"):
        durations.seconds(text)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (90, 90),
        (timedelta(minutes=2), 120),
        ("P1DT2H", 93_600),
        ("P1W", 604_800),
        ("PT1.5S", 1.5),
        ("1y2M3w4d5h6m7s", 31_536_000 + 5_184_000 + 1_814_400 + 345_600 + 18_000 + 367),
        ("2 weeks 1 day", 1_296_000),
        ("3mon", 7_776_000),
    ],
)
def test_other_forms_are_read(duration, seconds):
    assert durations.seconds(duration) == seconds


@pytest.mark.parametrize(
    "duration",
    ["-5s", "5 s m", "P", "PT", "P1H", "1h 5", "5.s", "200y", -1, True, None, float("nan"), ["1h"]],
)
def test_what_is_no_length_of_time_is_refused(duration):
    with pytest.raises(InvalidSchedule, match="is no length of time"):
        durations.seconds(duration)


@pytest.mark.parametrize(
    ("duration", "text"), [("1h", "1h"), (90, "90s"), (0.5, "0.5s"), (timedelta(minutes=2), "120s")]
)
def test_durations_are_written_so_that_ruby_reads_them(duration, text):
    assert durations.text(duration) == text
