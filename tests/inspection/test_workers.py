from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from jobqueue import clock
from jobqueue.inspection import workers
from tests.goldenfiles import load


def test_a_working_worker_of_ruby_is_read(redis):
    load(redis, "worker_working")

    [worker] = workers.working()

    assert (worker.id, worker.host, worker.pid) == ("vm:28413:emails,reports", "vm", "28413")
    assert worker.queues == ["emails", "reports"]
    assert worker.started.at == datetime(2026, 11, 21, 0, 21, 41, tzinfo=UTC)
    assert worker.heartbeat.at == datetime(2026, 11, 21, 0, 21, 41, tzinfo=UTC)
    assert worker.current.queue == "reports"
    assert worker.current.since.at == datetime(2026, 11, 21, 0, 21, 42, tzinfo=UTC)
    assert (worker.current.job.name, worker.current.job.args) == ("SlowReport", [1, "monthly"])
    assert worker.complaints == []


@pytest.mark.parametrize(
    "recording, processed, failed",
    [("worker_idle", 0, 0), ("worker_after_success", 1, 0), ("worker_after_failure", 2, 1)],
)
def test_an_idle_worker_of_ruby_is_read_with_its_counts(redis, recording, processed, failed):
    load(redis, recording)

    [worker] = workers.workers()

    assert not worker.is_working
    assert (worker.processed, worker.failed) == (processed, failed)
    assert worker.complaints == []


def test_a_worker_of_all_queues_is_read(redis):
    load(redis, "worker_idle_pattern_queues")

    assert [worker.queues for worker in workers.workers()] == [["*"]]


def test_a_stopped_worker_leaves_nothing(redis):
    load(redis, "worker_stopped_by_quit")

    assert workers.workers() == []


def test_times_of_another_zone_are_read(redis):
    load(redis, "failure_with_worker_in_new_york")

    [worker] = workers.workers()

    assert worker.started.at == worker.heartbeat.at == datetime(2026, 11, 21, 0, 21, 47, tzinfo=UTC)


@pytest.mark.parametrize(
    "recording", ["heartbeat_expired_before_prune", "heartbeat_expired_pruned", "worker_killed"]
)
def test_workers_without_complaint_around_a_pruning(redis, recording):
    load(redis, recording)

    assert [worker.complaints for worker in workers.workers()] == [[]] * redis.scard("resque:workers")


def test_one_worker_is_read_by_its_id(redis):
    load(redis, "worker_working")

    assert workers.worker("vm:28413:emails,reports") == workers.workers()[0]


def test_a_worker_of_which_redis_knows_nothing_is_none(redis):
    assert workers.worker("h:1:q") is None


def test_a_worker_that_works_unregistered_is_found_by_its_id(redis):
    redis.set("resque:worker:h:1:q", '{"queue":"q","run_at":"x","payload":{"class":"A","args":[]}}')

    worker = workers.worker("h:1:q")

    assert worker.is_working and not worker.is_registered


@pytest.mark.parametrize("worker_id", ["", "host", "host:1", "host:1:", "::"])
def test_an_id_of_other_parts_is_complained_of(redis, worker_id):
    redis.sadd("resque:workers", worker_id)

    [worker] = workers.workers()

    assert worker.id == worker_id
    assert worker.complaints == ["The id is not host:pid:queues; Ruby's pages cannot show such a worker."]


def test_queues_may_hold_colons():
    assert workers.split_id("host:1:a:b,c") == ("host", "1", ["a:b", "c"], [])


@pytest.mark.parametrize(
    "value, complaint",
    [
        (b"{broken", "What the worker is doing cannot be read"),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe", "What the worker is doing cannot be read"),
        (b"[" * 100_000, "What the worker is doing cannot be read"),
    ],
)
def test_a_worker_with_a_broken_job_is_working_on_something(redis, value, complaint):
    redis.sadd("resque:workers", "h:1:q")
    redis.set("resque:worker:h:1:q", value)

    [worker] = workers.working()

    assert complaint in worker.complaints[0]


def test_a_job_without_payload_is_shown_with_the_reason(redis):
    redis.sadd("resque:workers", "h:1:q")
    redis.set("resque:worker:h:1:q", '{"queue":["?"],"run_at":3}')

    [worker] = workers.working()

    assert worker.current.since.at is None
    assert worker.current.job.complaint


@pytest.mark.parametrize(("age", "is_silent"), [(1, False), (80, False), (100, True)])
def test_a_worker_without_a_heartbeat_for_long_is_silent(redis, age, is_silent):
    redis.sadd("resque:workers", "h:1:q")
    redis.hset("resque:workers:heartbeat", "h:1:q", clock.heartbeat(time.time() - age))

    assert [worker.is_silent for worker in workers.workers()] == [is_silent]


@pytest.mark.parametrize("heartbeat", [None, "a while ago", "2026-01-01T00:00:00Z"])
def test_a_worker_of_which_nothing_says_that_it_lives_may_be_dead(redis, heartbeat):
    redis.sadd("resque:workers", "h:1:q")
    if heartbeat:
        redis.hset("resque:workers:heartbeat", "h:1:q", heartbeat)

    assert [worker.may_be_dead for worker in workers.workers()] == [True]


def test_a_worker_that_has_just_said_that_it_lives_is_not_dead(redis):
    redis.sadd("resque:workers", "h:1:q")
    redis.hset("resque:workers:heartbeat", "h:1:q", clock.heartbeat(time.time()))

    assert [worker.may_be_dead for worker in workers.workers()] == [False]


def test_what_counts_as_silent_follows_the_setting(redis, settings):
    settings.JOBQUEUE_DEAD_AFTER_SECONDS = 600.0
    redis.sadd("resque:workers", "h:1:q")
    redis.hset("resque:workers:heartbeat", "h:1:q", clock.heartbeat(time.time() - 100))

    assert not workers.worker("h:1:q").is_silent


def test_counters_and_times_that_are_none_are_complained_of(redis):
    redis.sadd("resque:workers", "h:1:q")
    redis.set("resque:stat:processed:h:1:q", "many")
    redis.rpush("resque:worker:h:1:q:started", "x")
    redis.hset("resque:workers:heartbeat", "h:1:q", "a while ago")

    [worker] = workers.workers()

    assert worker.processed == 0
    assert (worker.heartbeat.text, worker.heartbeat.at) == ("a while ago", None)
    assert worker.complaints == [
        "resque:worker:h:1:q:started cannot be read: it holds another type of value than belongs there.",
        "resque:stat:processed:h:1:q is no number: b'many'.",
    ]
