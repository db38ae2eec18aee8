from __future__ import annotations

import json
from calendar import timegm

import pytest

from jobqueue import clock
from tests.goldenfiles import values
from tests.localtime import local_time

MOMENT = timegm((2026, 11, 21, 0, 21, 47)) + 0.9


@pytest.mark.parametrize(
    ("zone", "started", "heartbeat", "failed_at"),
    [
        ("UTC", "2026-11-21 00:21:47 +0000", "2026-11-21T00:21:47+00:00", "2026/11/21 00:21:47 UTC"),
        (
            "America/New_York",
            "2026-11-20 19:21:47 -0500",
            "2026-11-20T19:21:47-05:00",
            "2026/11/20 19:21:47 EST",
        ),
        # Half an hour off, and a zone whose name is its offset
        ("Asia/Kolkata", "2026-11-21 05:51:47 +0530", "2026-11-21T05:51:47+05:30", "2026/11/21 05:51:47 IST"),
        (
            "America/Sao_Paulo",
            "2026-11-20 21:21:47 -0300",
            "2026-11-20T21:21:47-03:00",
            "2026/11/20 21:21:47 -03",
        ),
    ],
)
def test_times_are_local_where_resque_writes_local_time(zone, started, heartbeat, failed_at):
    with local_time(zone):
        written = clock.started(MOMENT), clock.heartbeat(MOMENT), clock.failed_at(MOMENT)

    assert written == (started, heartbeat, failed_at)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_a_job_begins_in_utc_wherever_the_worker_is(zone):
    with local_time(zone):
        assert clock.run_at(MOMENT) == "2026-11-21T00:21:47Z"


def test_a_worker_in_new_york_writes_what_ruby_wrote():
    recorded = values("failure_with_worker_in_new_york")
    worker = "vm:28474:emails,reports"

    with local_time("America/New_York"):
        assert clock.started(MOMENT) == recorded[f"resque:worker:{worker}:started"]
        assert clock.heartbeat(MOMENT) == recorded["resque:workers:heartbeat"][worker]
        assert clock.failed_at(MOMENT) == json.loads(recorded["resque:failed"][0])["failed_at"]


def test_a_working_worker_writes_what_ruby_wrote():
    working = json.loads(values("worker_working")["resque:worker:vm:28413:emails,reports"])

    assert clock.run_at(timegm((2026, 11, 21, 0, 21, 42))) == working["run_at"]
