from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis.exceptions import ResponseError

from jobqueue.exceptions import RedisUnreachable
from jobqueue.inspection import replies
from jobqueue.inspection.health import health, unattended


def register(redis, worker_id, *, seconds_ago=0):
    """Register a worker, with a last heartbeat if there is one."""
    redis.sadd("resque:workers", worker_id)
    if seconds_ago is not None:
        beat = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        redis.hset("resque:workers:heartbeat", worker_id, beat.isoformat(timespec="seconds"))


def wait(redis, queue, *jobs):
    redis.sadd("resque:queues", queue)
    redis.rpush(b"resque:queue:" + (queue if isinstance(queue, bytes) else queue.encode()), *jobs)


def test_an_empty_redis_is_in_order(redis):
    seen = health()

    assert (seen.alive, seen.silent, seen.unattended, seen.complaints) == ([], [], {}, [])
    assert (seen.waiting, seen.failed, seen.paused, seen.is_all_paused) == (0, 0, [], False)


def test_figures_are_told(redis):
    register(redis, "host:1:*")
    wait(redis, "mail", "a", "b")
    wait(redis, "low", "c")
    redis.rpush("resque:failed", "x", "y")
    redis.sadd("resque:paused", "low")
    redis.set("resque:pause-all-workers", " True ")

    seen = health()

    assert (seen.waiting, seen.failed, seen.paused, seen.is_all_paused) == (3, 2, ["low"], True)


def test_a_delayed_job_that_nobody_promotes_is_late(redis):
    now = redis.time()[0]
    redis.zadd("resque:later", {"a": (now - 90) * 1000, "b": (now + 90) * 1000})
    redis.zadd("resque:delayed_queue_schedule", {"x": now - 30})

    assert health().delayed == 2
    assert health().late_seconds == pytest.approx(90, abs=5)


def test_the_first_of_rubys_delayed_jobs_counts_too(redis):
    redis.zadd("resque:delayed_queue_schedule", {"x": redis.time()[0] - 30})

    assert health().late_seconds == pytest.approx(30, abs=5)


@pytest.mark.parametrize("score, late", [("-inf", True), ("inf", False)])
def test_a_moment_without_end_breaks_nothing(redis, score, late):
    redis.zadd("resque:later", {"a": score})

    assert (health().late_seconds > 0) == late


def test_what_is_not_due_is_not_late(redis):
    redis.zadd("resque:later", {"a": (redis.time()[0] + 60) * 1000})

    assert health().late_seconds == 0


def test_workers_live_by_their_heartbeats(redis):
    register(redis, "host:1:mail")
    register(redis, "host:2:mail", seconds_ago=3600)
    register(redis, "host:3:mail", seconds_ago=None)
    register(redis, "host:4:mail")
    redis.hset("resque:workers:heartbeat", "host:4:mail", "nonsense")

    seen = health()

    assert seen.alive == ["host:1:mail"]
    assert seen.silent == ["host:2:mail", "host:3:mail", "host:4:mail"]


def test_queues_are_unattended_that_no_living_worker_listens_to(redis):
    register(redis, "host:1:mail,file_*")
    register(redis, "host:2:reports", seconds_ago=3600)
    for queue in ("mail", "file_a", "reports", "paused"):
        wait(redis, queue, "x")
    redis.sadd("resque:queues", "empty")
    redis.sadd("resque:paused", "paused")

    assert health().unattended == {"reports": 1}


@pytest.mark.parametrize(
    ("ids", "left"),
    [
        ([], {"high", "low", ".dot"}),
        (["host:1:low"], {"high", ".dot"}),
        (["host:1:*"], {".dot"}),
        (["host:1:*", "host:2:.*"], set()),
        (["host:1:h*", "host:1:?ow"], {".dot"}),
        # As Ruby's ids may stand, which name exclusions
        (["host:1:*,!low"], {"low", ".dot"}),
        # Ruby's names may have equals signs; no id tells of weights
        (["host:1:high=6,low"], {"high", ".dot"}),
        # What is no id listens to nothing
        (["", "nonsense", "host:1:", "host:1:!low", "host:1:,"], {"high", "low", ".dot"}),
    ],
)
def test_ids_tell_which_queues_are_listened_to(ids, left):
    assert unattended({"high": 1, "low": 1, ".dot": 1}, ids).keys() == left


def test_a_queue_may_have_any_name(redis):
    wait(redis, b"\xff", "x")

    assert health().unattended == {"\udcff": 1}


@pytest.mark.parametrize(
    "key", ["queues", "workers", "paused", "workers:heartbeat", "failed", "pause-all-workers", "queue:mail"]
)
def test_a_key_of_a_wrong_type_is_a_complaint_and_hides_nothing_else(redis, key):
    register(redis, "host:1:*")
    wait(redis, "mail", "x")
    redis.delete(f"resque:{key}")
    redis.zadd(f"resque:{key}", {"x": 1})

    seen = health()

    assert seen.complaints == [
        f"resque:{key} cannot be read: it holds another type of value than belongs there."
    ]


def test_it_costs_two_round_trips_however_much_there_is(redis, monkeypatch):
    for number in range(50):
        register(redis, f"host:{number}:q{number}")
        wait(redis, f"q{number}", "x")
    trips = []
    real = replies.client

    def counted():
        trips.append(1)
        return real()

    monkeypatch.setattr(replies, "client", counted)

    assert (len(health().alive), len(trips)) == (50, 2)


def test_a_redis_that_refuses_everything_is_told(redis_factory, settings):
    server = redis_factory("--requirepass", "secret")
    settings.JOBQUEUE_REDIS_URL = f"unix://{server.path}"

    with pytest.raises((ResponseError, RedisUnreachable)):
        health()
