"""Turns of the duty that fires recurring jobs, at moments that the tests choose."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime

import hypothesis
import pytest
import redis as redis_client
from django.db import connections
from hypothesis import strategies as st

from jobqueue import firing
from jobqueue.firing import LATE_SECONDS, Firing
from jobqueue.link import Link
from jobqueue.store import schedule as store
from jobqueue.timing import CronTiming
from tests.goldenfiles import dump, load, values
from tests.localtime import local_time

NOON_MS = round(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp() * 1000)
SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS


@pytest.fixture
def link(redis):
    link = Link()
    yield link
    link.close()


@pytest.fixture
def turn(link, settings, monkeypatch):
    """Return a function that lets a scheduler fire at a moment; after ``restarted`` that is another one."""
    settings.TIME_ZONE = "UTC"
    schedulers = [Firing()]
    # Each turn comes after a while
    monkeypatch.setattr("jobqueue.firing.LOOK_SECONDS", 0)

    def at(moment_ms, *, restarted=False):
        if restarted:
            schedulers.append(Firing())
        return schedulers[-1](link, moment_ms)

    return at


def scheduled(settings, **entries):
    settings.JOBQUEUE_SCHEDULE = {
        name: {"class": "Report", "queue": "reports", **config} for name, config in entries.items()
    }


def waiting(redis, queue="reports"):
    return redis.lrange(f"resque:queue:{queue}", 0, -1)


def left(redis):
    """Return what stands in Redis beside what only we know."""
    ours = ("resque:wake", "resque:fired")
    return {key: value for key, value in dump(redis).items() if not key.startswith(ours)}


def test_without_entries_nothing_is_due(turn):
    assert turn(NOON_MS) is None


def test_a_tick_enqueues_a_job_and_tells_when_the_next_comes(redis, settings, turn):
    scheduled(settings, hourly={"cron": "0 * * * *", "args": ["daily", {"limit": 3}]})

    assert turn(NOON_MS - 1) == NOON_MS
    assert waiting(redis) == []
    assert turn(NOON_MS) == NOON_MS + HOUR_MS
    assert turn(NOON_MS) == NOON_MS + HOUR_MS

    assert waiting(redis) == [b'{"class":"Report","args":["daily",{"limit":3}]}']


def test_a_new_entry_makes_up_nothing(redis, settings, turn):
    scheduled(settings, hourly={"cron": "0 * * * *"})

    assert turn(NOON_MS + SECOND_MS) == NOON_MS + HOUR_MS
    assert waiting(redis) == []


def test_every_keeps_its_pace_across_restarts(redis, settings, turn):
    scheduled(settings, often={"every": ["10m", {"first_in": "1m"}]})

    assert turn(NOON_MS) == NOON_MS + MINUTE_MS
    assert turn(NOON_MS + MINUTE_MS) == NOON_MS + 11 * MINUTE_MS
    assert turn(NOON_MS + 5 * MINUTE_MS, restarted=True) == NOON_MS + 11 * MINUTE_MS
    assert turn(NOON_MS + 11 * MINUTE_MS + 300) == NOON_MS + 21 * MINUTE_MS
    assert len(waiting(redis)) == 2


@pytest.mark.parametrize("config", [{"cron": "0 * * * *"}, {"every": "1h"}])
@pytest.mark.parametrize(("missed", "runs"), [("run-once", 1), ("skip", 0)])
def test_a_week_that_was_missed_is_one_run_or_none(redis, settings, turn, config, missed, runs):
    scheduled(settings, each={**config, "missed": missed})
    turn(NOON_MS)

    back_ms = NOON_MS + 7 * 24 * HOUR_MS + (LATE_SECONDS + 1) * SECOND_MS
    turn(back_ms, restarted=True)
    turn(back_ms + SECOND_MS)

    assert len(waiting(redis)) == runs


@pytest.mark.parametrize("missed", ["run-once", "skip"])
def test_a_tick_that_is_a_little_late_is_none_that_was_missed(redis, settings, turn, missed):
    scheduled(settings, hourly={"cron": "0 * * * *", "missed": missed})
    turn(NOON_MS - 1)

    turn(NOON_MS + LATE_SECONDS * SECOND_MS)

    assert len(waiting(redis)) == 1


def test_other_times_make_up_nothing(redis, settings, turn):
    scheduled(settings, daily={"cron": "0 8 * * *"})
    turn(NOON_MS)

    scheduled(settings, daily={"cron": "0 9 * * *"})
    next_ms = turn(NOON_MS + 23 * HOUR_MS, restarted=True)

    assert waiting(redis) == []
    assert turn(next_ms) == next_ms + 24 * HOUR_MS
    assert len(waiting(redis)) == 1


def test_schedulers_with_other_times_for_an_entry_do_not_silence_each_other(redis, link, settings, turn):
    scheduled(settings, each={"cron": "0 * * * *"})
    old = Firing()
    old(link, NOON_MS - 1)
    scheduled(settings, each={"cron": "30 * * * *"})
    new = Firing()

    for minute in range(0, 121, 15):
        for scheduler in (old, new):
            scheduler(link, NOON_MS + minute * MINUTE_MS)

    # Each at its own times
    assert len(waiting(redis)) == 5


@pytest.mark.parametrize("garbage", ["soon", "5", "99999999999999 0 * * * *"])
def test_garbage_in_the_place_of_a_tick_silences_no_entry(redis, settings, turn, garbage):
    scheduled(settings, hourly={"cron": "0 * * * *"})
    redis.hset("resque:fired", "hourly", garbage)

    turn(NOON_MS - MINUTE_MS)
    turn(NOON_MS)

    assert len(waiting(redis)) == 1


def test_a_new_entry_that_two_schedulers_meet_at_once_comes_once(redis, link, settings, monkeypatch):
    scheduled(settings, each={"every": ["1h", {"first_in": 0}]})
    before = store.state(link)
    Firing()(link, NOON_MS)

    # The other one looked at Redis before, and is a little late
    monkeypatch.setattr(store, "state", lambda link: before)
    Firing()(link, NOON_MS + 5)

    assert len(waiting(redis)) == 1


@pytest.mark.parametrize("change", ["removed", "changed", "set"])
def test_an_entry_that_changes_after_a_scheduler_has_looked_is_not_fired_as_it_was(
    redis, link, settings, turn, monkeypatch, change
):
    scheduled(settings, **({"each": {"every": "1m"}} if change == "set" else {}))
    if change != "set":
        store.put("each", b'{"class":"Report","every":"1m","queue":"reports"}')
    turn(NOON_MS)
    before = store.state(link)

    if change == "removed":
        store.remove("each")
    else:
        store.put("each", b'{"class":"Other","every":"1m","queue":"others"}')
    with monkeypatch.context() as late:
        late.setattr(store, "state", lambda link: before)
        turn(NOON_MS + MINUTE_MS)

    assert waiting(redis) == []
    turn(NOON_MS + MINUTE_MS + 1)
    assert len(waiting(redis, "others")) == (change != "removed")


def test_entries_of_another_environment_do_not_count(redis, settings, turn):
    settings.JOBQUEUE_ENVIRONMENT = "staging"
    scheduled(settings, a={"every": "1m", "env": "production"}, b={"every": "1h", "env": "test staging"})

    assert turn(NOON_MS) == NOON_MS + HOUR_MS


def test_a_bad_entry_stops_no_other_and_is_told_of_once(redis, settings, turn, caplog):
    scheduled(settings, bad={"cron": "nonsense"}, worse={"every": "1m", "queue": 7}, good={"every": "1m"})
    settings.JOBQUEUE_SCHEDULE["worst"] = 5
    redis.hset("resque:persistent_schedules", mapping={"no_json": "{", "bad": '{"cron":"* * *"}'})

    turn(NOON_MS)
    turn(NOON_MS + MINUTE_MS)

    assert len(waiting(redis)) == 1
    told = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert sorted(message.split("'")[1] for message in told) == ["bad", "no_json", "worse", "worst"]


def test_a_queue_of_another_type_stops_no_other_entry(redis, settings, turn, caplog):
    scheduled(settings, a={"every": "1m", "queue": "broken"}, b={"every": "1m"})
    redis.set("resque:queue:broken", "no list")

    turn(NOON_MS)
    turn(NOON_MS + MINUTE_MS)
    turn(NOON_MS + MINUTE_MS + 1)

    assert len(waiting(redis)) == 1
    assert "the recurring job 'a' cannot be enqueued" in caplog.text
    redis.delete("resque:queue:broken")
    turn(NOON_MS + MINUTE_MS + 2)
    assert len(waiting(redis, "broken")) == 1


def test_an_entry_in_redis_counts_from_the_next_turn_on(redis, settings, turn):
    scheduled(settings, each={"every": "1h"})
    turn(NOON_MS)

    store.put("each", b'{"class":"Other","every":"1m","queue":"others"}')
    turn(NOON_MS + 90 * SECOND_MS)
    store.remove("each")
    turn(NOON_MS + 2 * HOUR_MS)

    assert waiting(redis, "others") == [b'{"class":"Other","args":[]}']


def test_an_entry_that_persists_is_stored_for_ruby(redis, settings, turn):
    scheduled(settings, each={"every": 90, "persist": True}, elsewhere={"persist": True, "env": "mars"})

    turn(NOON_MS)

    stored = redis.hgetall("resque:persistent_schedules")
    assert {name: json.loads(text) for name, text in stored.items()} == {
        b"each": {"class": "Report", "queue": "reports", "every": "90s"}
    }


def test_an_entry_that_persists_tells_ruby_the_queue_of_a_job_of_ours(redis, settings, turn):
    settings.JOBQUEUE_SCHEDULE = {"Emailer": {"cron": "0 8 * * *", "args": [1, 2, 3], "persist": True}}

    turn(NOON_MS)

    assert json.loads(redis.hget("resque:persistent_schedules", "Emailer"))["queue"] == "emails"


def test_an_entry_that_cannot_be_stored_for_ruby_is_told_of_and_stops_none(redis, settings, turn, caplog):
    scheduled(settings, each={"every": "1m", "persist": True})
    redis.set("resque:persistent_schedules", "something else")

    turn(NOON_MS)
    turn(NOON_MS + MINUTE_MS)

    assert len(waiting(redis)) == 1
    assert "the entry 'each' of the schedule cannot be stored in Redis" in caplog.text


def test_a_redis_that_takes_no_writes_is_waited_for(link, settings, turn, monkeypatch):
    scheduled(settings, each={"every": "1m"})
    turn(NOON_MS)

    def fire(*_, **__):
        raise redis_client.ReadOnlyError("You can't write against a read only replica.")

    monkeypatch.setattr(store, "fire", fire)

    with pytest.raises(redis_client.ReadOnlyError):
        turn(NOON_MS + MINUTE_MS)


def test_entries_that_are_gone_are_forgotten(settings, link, turn):
    scheduler = Firing()
    for number in range(3):
        store.put(f"digest_of_{number}", b'{"class":"Digest","every":"1h","queue":"q"}')
        scheduler(link, NOON_MS + number)
        store.remove(f"digest_of_{number}")
    scheduler(link, NOON_MS + 4)

    assert (scheduler._upcoming, scheduler._dynamic) == ({}, {})


def test_a_scheduler_that_is_woken_often_looks_at_the_schedule_now_and_then(link, settings, monkeypatch):
    scheduler, looks = Firing(), []
    monkeypatch.setattr(store, "state", lambda _, read=store.state: looks.append(1) or read(link))
    scheduled(settings, each={"every": "10m"})

    moments = [scheduler(link, NOON_MS + moment) for moment in range(20)]

    assert len(looks) == 1
    assert moments[0] == NOON_MS + 10 * MINUTE_MS
    assert moments[1] == NOON_MS + 1 + SECOND_MS
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + 2)
    scheduler(link, NOON_MS + 2)
    assert len(looks) == 2


def test_what_is_due_is_fired_however_short_ago_the_last_look_was(redis, link, settings):
    scheduled(settings, each={"every": "0.1s"})
    scheduler = Firing()

    for moment in range(0, 1001, 100):
        scheduler(link, NOON_MS + moment)

    assert len(waiting(redis)) == 10


def test_an_entry_of_any_name_is_fired(redis, turn):
    redis.hset("resque:persistent_schedules", b"a/\xff\x00", b'{"every":"1m","class":"A","queue":"reports"}')

    turn(NOON_MS)
    turn(NOON_MS + MINUTE_MS)
    turn(NOON_MS + MINUTE_MS)

    assert waiting(redis) == [b'{"class":"A","args":[]}']
    assert list(redis.hgetall("resque:fired")) == [b"a/\xff\x00"]


def test_a_job_that_cannot_be_made_stops_no_other(redis, settings, turn, caplog, monkeypatch):
    scheduled(settings, a={"every": "1m"}, b={"every": "1m"})

    def make(entry, made=firing.schedule.make):
        if entry.name == "a":
            raise RuntimeError("unique_by of the site")
        return made(entry)

    monkeypatch.setattr(firing.schedule, "make", make)
    turn(NOON_MS)
    turn(NOON_MS + MINUTE_MS)

    assert len(waiting(redis)) == 1
    assert "the recurring job 'a' cannot be made: RuntimeError" in caplog.text


def test_a_database_connection_that_ended_meanwhile_makes_no_tick_pass(
    redis, settings, turn, monkeypatch, django_db_blocker, tmp_path
):
    """As ``unique_by`` finds it that looks into the database."""
    given = connections["default"].settings_dict
    connections.settings["file"] = {**given, "NAME": str(tmp_path / "db.sqlite3"), "CONN_MAX_AGE": None}
    scheduled(settings, a={"every": "1m"})

    def make(entry, made=firing.schedule.make):
        with connections["file"].cursor() as cursor:
            cursor.execute("SELECT 1")
        return made(entry)

    monkeypatch.setattr(firing.schedule, "make", make)
    with django_db_blocker.unblock():
        turn(NOON_MS)
        turn(NOON_MS + MINUTE_MS)
        connections["file"].connection.close()
        # As databases tell whose servers can go away
        monkeypatch.setattr(connections["file"], "is_usable", lambda: False)
        turn(NOON_MS + 2 * MINUTE_MS)
        connections["file"].close()
    del connections["file"], connections.settings["file"]

    assert len(waiting(redis)) == 2


def test_a_fault_with_the_times_of_one_entry_stops_no_other(redis, settings, turn, caplog, monkeypatch):
    scheduled(settings, a={"cron": "* * * * *"}, b={"every": "1m"})

    def after(*_):
        raise OverflowError("date value out of range")

    monkeypatch.setattr("jobqueue.cron.Cron.after", after)
    turn(NOON_MS)
    turn(NOON_MS + MINUTE_MS)

    assert "the times of the recurring job 'a' cannot be found: OverflowError" in caplog.text
    assert redis.hkeys("resque:delayed:last_enqueued_at") == [b"a", b"b"]


def test_a_key_of_another_type_is_told_of_and_ends_nothing(redis, settings, turn, caplog):
    scheduled(settings, a={"every": "1m"})
    redis.set("resque:fired", "something else")
    redis.set("resque:persistent_schedules", "something else")

    assert turn(NOON_MS) is None
    assert turn(NOON_MS + MINUTE_MS) is None

    assert "resque:persistent_schedules cannot be read" in caplog.text
    assert "the recurring job 'a' cannot be enqueued: WRONGTYPE" in caplog.text
    redis.delete("resque:fired")
    assert turn(NOON_MS) == NOON_MS + MINUTE_MS


def test_a_full_redis_keeps_the_tick_for_later(redis_factory, settings, monkeypatch):
    server = redis_factory("--maxmemory-policy", "noeviction")
    settings.JOBQUEUE_REDIS_URL = server.url
    settings.TIME_ZONE = "UTC"
    scheduled(settings, a={"every": "1h"})
    monkeypatch.setattr("jobqueue.firing.LOOK_SECONDS", 0)
    scheduler, link = Firing(), Link()
    with redis_client.Redis.from_url(server.url) as redis:
        scheduler(link, NOON_MS)
        redis.config_set("maxmemory", 1)
        scheduler(link, NOON_MS + HOUR_MS)
        assert waiting(redis) == []

        redis.config_set("maxmemory", 0)
        scheduler(link, NOON_MS + HOUR_MS + 5 * MINUTE_MS)

        assert len(waiting(redis)) == 1
    link.close()


def test_what_comes_next_is_reckoned_again_only_when_something_has_changed(
    redis, settings, turn, monkeypatch
):
    scheduled(settings, a={"cron": "0 * * * *"}, b={"every": "1h"})
    turn(NOON_MS)
    turn(NOON_MS + 1)
    reckoned = []
    following = firing.timing.following
    monkeypatch.setattr(
        firing.timing, "following", lambda when, *now: reckoned.append(when.text) or following(when, *now)
    )

    turn(NOON_MS + MINUTE_MS)
    assert reckoned == []

    redis.hset("resque:fired", "b", f"{NOON_MS + MINUTE_MS} every 1h")
    assert turn(NOON_MS + 2 * MINUTE_MS) == NOON_MS + HOUR_MS
    assert reckoned == ["every 1h"]


def test_entries_of_the_site_leave_what_rubys_leave(redis, settings, turn):
    settings.JOBQUEUE_ENVIRONMENT = "development"
    settings.JOBQUEUE_SCHEDULE = {
        "send_digest": {
            "class": "Emailer",
            "every": ["1h", {"first_in": "1s"}],
            "queue": "emails",
            "args": ["person@example.com", "Sample Subject", "Your digest"],
        },
        "hash_args": {
            "class": "Newsletter",
            "every": ["1h", {"first_in": "1s"}],
            "args": {"section": "front", "limit": 10},
        },
        "nightly_cleanup": {"class": "Cleanup", "cron": "0 3 * * *", "queue": "low"},
        "manual_import": {"class": "Import", "queue": "low"},
        "only_production": {"class": "Cleanup", "every": "1s", "queue": "low", "rails_env": "production"},
    }
    moment_ms = round(datetime(2026, 11, 21, 0, 22, 3, tzinfo=UTC).timestamp() * 1000)

    with local_time("UTC"):
        turn(moment_ms - SECOND_MS)
        turn(moment_ms)

    expected = values("schedule_static_fired")
    # Ruby's own, which tells its schedulers to load again
    del expected["resque:schedules_changed"]
    assert left(redis) == expected


def test_an_entry_that_ruby_has_set_leaves_what_rubys_leave(redis, turn):
    load(redis, "schedule_dynamic_set")
    redis.delete("resque:schedules_changed")
    moment_ms = round(datetime(2026, 11, 21, 0, 22, 5, tzinfo=UTC).timestamp() * 1000)

    with local_time("UTC"):
        turn(moment_ms - SECOND_MS)
        turn(moment_ms)

    expected = values("schedule_dynamic_fired")
    del expected["resque:resque:resque_scheduler_master_lock"]
    assert left(redis) == expected


@pytest.mark.parametrize(
    "recorded", ["schedule_dynamic_removed_seen_by_scheduler", "schedule_dynamic_set_without_persist"]
)
def test_what_ruby_has_told_its_own_schedulers_is_left_to_them(redis, turn, recorded):
    load(redis, recorded)

    assert turn(NOON_MS) is None
    assert turn(NOON_MS + HOUR_MS) is None

    assert dump(redis) == values(recorded)


@hypothesis.settings(max_examples=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    config=st.sampled_from(
        [
            {"cron": "*/5 * * * *"},
            {"cron": "* * * * *"},
            {"every": "7m"},
            {"every": "7m", "missed": "skip"},
            {"every": ["7m", {"first_in": 0}]},
        ]
    ),
    steps=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["turn", "late turn", "begin anew"]),
            st.integers(0, 20 * MINUTE_MS),
        ),
        min_size=5,
        max_size=40,
    ),
)
def test_no_tick_comes_twice_whatever_schedulers_do(redis, link, settings, monkeypatch, config, steps):
    redis.flushdb()
    settings.TIME_ZONE = "UTC"
    scheduled(settings, each=config)
    when = firing.schedule.static()["each"].timing
    schedulers, seen, fired = [Firing() for _ in range(3)], [store.state(link)], []
    now_ms, begun_ms = NOON_MS, None

    def fire(link, name, due, made, **more):
        if done := original(link, name, due, made, **more):
            fired.append(due.tick_ms)
        return done

    original = store.fire
    with monkeypatch.context() as patch:
        patch.setattr("jobqueue.firing.LOOK_SECONDS", 0)
        patch.setattr(store, "fire", fire)
        for number, what, passed_ms in steps:
            now_ms += passed_ms
            if what == "begin anew":
                schedulers[number] = Firing()
            with monkeypatch.context() as late:
                seen.append(store.state(link))
                if what == "late turn":
                    # It was stopped between its look at Redis and what it does then
                    late.setattr(store, "state", lambda link: seen[-2])
                schedulers[number](link, now_ms)
            begun_ms = begun_ms or now_ms

    assert fired == sorted(set(fired))
    assert len(waiting(redis)) == len(fired)
    is_at_once = isinstance(config.get("every"), list)
    assert all(begun_ms < tick + is_at_once <= now_ms + is_at_once for tick in fired)
    assert all(when.last(tick - 1, tick) == tick for tick in fired if isinstance(when, CronTiming))
