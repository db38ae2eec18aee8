"""What a user of Redis may do who has no more rights than the documentation gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis as redis_client

import jobqueue
from jobqueue import timetable
from jobqueue.link import Link
from jobqueue.scheduler import duties
from jobqueue.store import promotion
from jobqueue.store import schedule as schedule_store
from tests.sample import jobs

DOCUMENTATION = Path(__file__).parent.parent / "docs" / "reliability.md"


@pytest.fixture
def server(redis_factory, settings):
    """A client of a server where this site is a user with few rights."""
    server = redis_factory()
    rule = re.search(r"`(ACL SETUSER jobs [^`]+)`", DOCUMENTATION.read_text(encoding="utf-8"))
    with redis_client.Redis.from_url(server.url) as redis:
        redis.execute_command(*rule[1].split())
        settings.JOBQUEUE_REDIS_URL = server.url.replace("://", "://jobs:secret@")
        yield redis


@pytest.fixture
def schedule():
    link, all_duties = Link(), duties()
    yield lambda: [duty(link, promotion.now_ms(link)) for duty in all_duties]
    link.close()


def waiting(server, queue):
    return server.llen(f"resque:queue:{queue}")


def test_recurring_jobs_are_fired(server, schedule, settings):
    entry = {"every": ["1h", {"first_in": 0}], "class": "Report", "queue": "reports"}
    settings.JOBQUEUE_SCHEDULE = {"kept": {**entry, "persist": True}, "plain": entry}

    schedule()

    assert waiting(server, "reports") == 2


def test_entries_are_changed(server):
    jobqueue.set_schedule("each", {"every": "1h", "class": "Report", "queue": "reports"})
    schedule_store.pause(["each"])
    assert timetable.read().get("each").is_paused

    schedule_store.resume(["each"])

    assert jobqueue.remove_schedule("each")


def test_delayed_jobs_of_both_kinds_are_changed_and_promoted(server, schedule):
    jobs.record.enqueue_in(60)
    jobs.emailer.enqueue_in(60, 1, 2, 3)
    waits = jobqueue.delayed_jobs()

    assert waits.put_off(60) == 2
    assert waits.enqueue_now() == 2

    jobs.record.enqueue_in(60)
    jobs.emailer.enqueue_in(60, 1, 2, 3)
    schedule()
    assert waits.remove() == 2
