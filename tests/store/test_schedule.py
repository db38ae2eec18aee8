"""The golden recordings show what Ruby's resque-scheduler leaves after the same operations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from threading import Thread

import pytest
from redis.exceptions import ResponseError

from jobqueue.inspection.schedule import Fired
from jobqueue.link import Link
from jobqueue.store import schedule
from jobqueue.store.schedule import Made
from tests.goldenfiles import dump, load, values
from tests.localtime import local_time

NOW_MS = round(datetime(2026, 11, 21, 0, 22, 5, tzinfo=UTC).timestamp() * 1000)
DIGEST = b'{"class":"Emailer","args":["person@example.com","Sample Subject","Hello there"]}'
CONFIG = json.dumps(
    {
        "class": "Emailer",
        "every": ["1s", {"first_in": "1s"}],
        "args": ["person@example.com", "Sample Subject", "Hello there"],
        "queue": "emails",
        "description": "Digest mail",
    },
    separators=(",", ":"),
).encode()
FIRST = Made("emails", DIGEST)
LOCK = "resque:resque:resque_scheduler_master_lock"


@pytest.fixture
def link(redis):
    link = Link()
    yield link
    link.close()


def fire(link, tick_ms=NOW_MS, made=FIRST, *, timing="every 1s", config=b""):
    schedule.begin(link, "send_digest", Fired(0, timing))
    fired = Fired(tick_ms, timing)
    return schedule.fire(link, "send_digest", fired, made, now_ms=NOW_MS, config=config)


def left(redis, *but):
    """Return what stands in Redis beside what only we know."""
    ours = ("resque:wake", "resque:fired", "resque:paused_schedule", *but)
    return {key: value for key, value in dump(redis).items() if not key.startswith(ours)}


def waiting(redis, queue="emails"):
    return redis.lrange(f"resque:queue:{queue}", 0, -1)


# Entries in Redis


def test_an_entry_is_set_as_by_ruby(redis):
    assert not schedule.put("send_digest", CONFIG)
    assert schedule.put("send_digest", CONFIG)

    assert left(redis) == values("schedule_dynamic_set")
    assert redis.llen("resque:wake_scheduler") == 1


def test_an_entry_is_removed_as_by_ruby(redis):
    load(redis, "schedule_dynamic_fired")

    assert schedule.remove("send_digest")
    assert not schedule.remove("send_digest")

    assert left(redis) == values("schedule_dynamic_removed")


def test_an_entry_that_was_removed_begins_anew(redis, link):
    schedule.put("send_digest", CONFIG)
    fire(link, config=CONFIG)
    schedule.pause(["send_digest"])

    schedule.remove("send_digest")

    state = schedule.state(link)
    assert (state.fired, state.paused) == ({}, frozenset())


# Firing


def test_a_tick_leaves_what_ruby_leaves(redis, link):
    schedule.put("send_digest", CONFIG)
    redis.delete("resque:schedules_changed")

    with local_time("UTC"):
        assert fire(link, config=CONFIG)

    expected = values("schedule_dynamic_fired")
    del expected[LOCK]
    assert left(redis) == expected


def test_a_tick_wakes_a_worker(redis, link):
    fire(link)

    assert redis.llen("resque:wake:emails") == 1
    assert redis.llen("resque:wake") == 1


def test_a_tick_is_fired_once(redis, link):
    assert fire(link, NOW_MS)

    assert not fire(link, NOW_MS)
    assert not fire(link, NOW_MS - 1000)
    assert fire(link, NOW_MS + 1)
    assert len(waiting(redis)) == 2


def test_a_tick_is_fired_once_by_many_at_once(redis):
    links = [Link() for _ in range(8)]
    answers = []

    def try_all(link):
        answers.extend(fire(link, NOW_MS + tick) for tick in range(50))

    threads = [Thread(target=try_all, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for link in links:
        link.close()

    assert sum(answers) == len(waiting(redis))
    assert 1 <= len(waiting(redis)) <= 50
    assert redis.hget("resque:fired", "send_digest") == f"{NOW_MS + 49} every 1s".encode()


def test_a_tick_can_pass_without_a_job(redis, link):
    assert not fire(link, made=Made("", b""))

    assert not fire(link)
    assert left(redis) == {}


def test_the_ticks_of_a_paused_entry_pass(redis, link):
    schedule.pause(["send_digest"])
    assert not fire(link, NOW_MS)

    schedule.resume(["send_digest"])

    assert not fire(link, NOW_MS)
    assert fire(link, NOW_MS + 1000)


def test_rubys_master_fires_what_it_knows(redis, link):
    schedule.put("send_digest", CONFIG)
    redis.set(LOCK, "localhost:28570")

    assert not fire(link, NOW_MS, config=CONFIG)
    redis.delete(LOCK)

    assert not fire(link, NOW_MS, config=CONFIG)
    assert fire(link, NOW_MS + 1000, config=CONFIG)


def test_an_entry_that_is_not_as_it_was_read_is_left_alone(redis, link):
    assert not fire(link, config=CONFIG)
    schedule.put("send_digest", CONFIG)
    assert not fire(link)

    assert waiting(redis) == []
    assert fire(link, config=CONFIG)


def test_an_entry_that_was_removed_and_set_anew_is_not_fired_before_it_has_begun(redis, link):
    schedule.put("send_digest", CONFIG)
    fire(link, NOW_MS, config=CONFIG)
    schedule.remove("send_digest")
    schedule.put("send_digest", CONFIG)

    # By a scheduler that has seen it before
    fired = Fired(NOW_MS, "every 1s")
    assert not schedule.fire(link, "send_digest", fired, FIRST, now_ms=NOW_MS, config=CONFIG)

    assert len(waiting(redis)) == 1


def test_an_entry_that_ruby_does_not_know_is_fired_beside_its_master(redis, link):
    redis.set(LOCK, "localhost:28570")

    assert fire(link)


def test_a_unique_job_is_enqueued_once(redis, link):
    made = Made("emails", b'{"class":"A","args":[],"id":"one","unique":"queued:abc"}', "one", "abc")
    other = Made("emails", b'{"class":"A","args":[],"id":"two","unique":"queued:abc"}', "two", "abc")

    assert fire(link, NOW_MS, made)
    assert not fire(link, NOW_MS + 1000, other)
    redis.delete("resque:queue:emails")

    assert fire(link, NOW_MS + 2000, other)
    assert waiting(redis) == [other.payload]


def test_a_queue_of_another_type_leaves_the_tick_to_be_fired(redis, link):
    redis.set("resque:queue:emails", "no list")

    with pytest.raises(ResponseError, match="resque:queue:emails is no list"):
        fire(link)

    redis.delete("resque:queue:emails")
    assert fire(link)


def test_keys_of_another_type_beside_hinder_nothing(redis, link):
    for name in ("delayed:last_enqueued_at", "queues", "paused_schedule", "unique"):
        redis.set(f"resque:{name}", "something else")

    assert fire(link, made=Made("emails", DIGEST, "one", "abc"))
    assert schedule.state(link).complaints


def test_an_entry_counts_from_its_first_moment(redis, link):
    first = Fired(-5, "every 1s")

    assert schedule.begin(link, "send_digest", first) == first
    assert schedule.begin(link, "send_digest", Fired(NOW_MS, "every 2s")) == first

    assert schedule.state(link).fired == {"send_digest": first}
