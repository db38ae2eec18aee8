from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from jobqueue import timetable
from jobqueue.store import schedule as store

LOCK = "resque:resque:resque_scheduler_master_lock"


@pytest.fixture
def scheduled(redis, settings):
    settings.TIME_ZONE = "UTC"
    settings.JOBQUEUE_ENVIRONMENT = "production"

    def schedule(**entries):
        settings.JOBQUEUE_SCHEDULE = {
            name: {"class": "Report", "queue": "reports", **config} for name, config in entries.items()
        }

    return schedule


def test_an_empty_schedule_has_no_rows(scheduled):
    seen = timetable.read()

    assert (seen.names, seen.rows(), seen.get("none")) == ([], [], None)
    assert (seen.environment, seen.master, list(seen.complaints)) == ("production", None, [])


def test_the_next_five_runs_are_told(scheduled):
    scheduled(hourly={"cron": "0 * * * *"})

    row = timetable.read().get("hourly")

    assert (row.when, row.queue, row.last, len(row.next)) == ("0 * * * *", "reports", None, 5)
    assert row.next[0] > datetime.now(UTC) - timedelta(seconds=5)
    assert {after - before for before, after in zip(row.next, row.next[1:], strict=False)} == {
        timedelta(hours=1)
    }


def test_every_goes_on_from_what_was_fired(redis, scheduled):
    scheduled(often={"every": "1h"})
    fired = (int(time.time()) - 600) * 1000
    redis.hset("resque:fired", "often", f"{fired} every 1h")
    redis.hset("resque:delayed:last_enqueued_at", "often", "2026-11-21 00:22:05 +0000")

    row = timetable.read().get("often")

    assert row.next[0] == datetime.fromtimestamp(fired / 1000 + 3600, UTC)
    assert row.last == datetime(2026, 11, 21, 0, 22, 5, tzinfo=UTC)


def test_what_is_special_about_an_entry_is_told(redis, scheduled):
    scheduled(elsewhere={"every": "1h", "env": "staging"}, by_hand={}, bad={"cron": "x"})
    store.put("theirs", b'{"every":"1h","queue":"q","class":"A"}')
    store.pause(["by_hand"])
    redis.set(LOCK, "localhost:1")

    seen = timetable.read()

    assert [row.name for row in seen.rows()] == ["bad", "by_hand", "elsewhere", "theirs"]
    bad, by_hand, elsewhere, theirs = seen.rows()
    assert "cron 'x' cannot be read" in bad.problem
    assert (by_hand.is_paused, by_hand.next, by_hand.when) == (True, [], "")
    assert (elsewhere.is_here, elsewhere.next) == (False, [])
    assert (theirs.is_fired_by_ruby, theirs.is_persistent, theirs.source) == (True, True, "redis")
    assert seen.master == "localhost:1"


def test_an_entry_in_redis_takes_the_place_of_another(redis, scheduled):
    scheduled(each={"every": "1h"})
    store.put("each", b'{"every":"2h","queue":"q","class":"A"}')

    (row,) = timetable.read().rows()

    assert (row.when, row.queue) == ("every 2h", "q")


def test_of_many_entries_only_those_that_are_shown_are_read(redis, scheduled, monkeypatch):
    read = []
    monkeypatch.setattr(
        timetable.schedule,
        "dynamic",
        lambda texts, dynamic=timetable.schedule.dynamic: read.extend(texts) or dynamic(texts),
    )
    for number in range(5):
        store.put(f"entry-{number}", b'{"every":"1h","queue":"q","class":"A"}')

    seen = timetable.read()

    assert [row.name for row in seen.rows(1, 3)] == ["entry-1", "entry-2"]
    assert seen.get("entry-4").name == "entry-4"
    assert read == ["entry-1", "entry-2", "entry-4"]
