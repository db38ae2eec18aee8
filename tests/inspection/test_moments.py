from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jobqueue.inspection.moments import parse
from tests.localtime import local_time


@pytest.mark.parametrize(
    "text",
    [
        "2026/11/21 00:21:45 UTC",  # failed_at
        "2026/11/20 19:21:45 EST",
        "2026/11/20 21:21:45 -03",
        "2026-11-21 00:21:45 +0000",  # started
        "2026-11-20T19:21:45-05:00",  # heartbeat
        "2026-11-21T00:21:45Z",  # run_at
        "2026-11-21T05:51:45.123456+05:30",
        " 2026/11/21 01:21:45 CET ",
    ],
)
def test_every_form_that_ruby_writes_is_read(text):
    assert parse(text) == datetime(2026, 11, 21, 0, 21, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-45 99:99:99",
        "2026/11/21 00:21:45 IST",  # India, Israel or Ireland
        "2026-11-21 00:21:45 +99:00",
        "0001-01-01 00:00:00 +1400",
        "9999-12-31 23:59:59 -1400",
        "٢٠٢٦-11-21 00:21:45",
    ],
)
def test_what_cannot_be_known_is_none(text):
    assert parse(text) is None


def test_an_abbreviation_of_this_machine_is_known():
    with local_time("Asia/Kolkata"):
        assert parse("2026/11/21 05:51:45 IST") == datetime(2026, 11, 21, 0, 21, 45, tzinfo=UTC)


def test_a_time_without_zone_is_of_this_machine():
    with local_time("America/New_York"):
        assert parse("2026/11/20 19:21:45") == datetime(2026, 11, 21, 0, 21, 45, tzinfo=UTC)
