from __future__ import annotations

import pytest

from jobqueue.inspection import stats
from jobqueue.inspection.replies import fetch
from tests.goldenfiles import load


def test_info_is_resques(redis):
    load(redis, "worker_after_failure")
    redis.rpush("resque:queue:emails", "a", "b")

    info = stats.info()

    assert (info.pending, info.processed, info.queues) == (2, 2, 2)
    assert (info.workers, info.working) == (1, 0)
    assert info.failed == redis.llen("resque:failed") == 1
    assert info.environment == "production"
    assert len(info.servers) == 1


def test_an_overview_tells_the_silent_from_the_living(redis):
    load(redis, "worker_working")
    redis.sadd("resque:workers", "h:1:q")
    redis.set("resque:worker:h:1:q", "{}")

    seen = stats.overview()

    assert [worker.id for worker in seen.silent] == ["vm:28413:emails,reports"]
    assert [worker.id for worker in seen.alive] == [worker.id for worker in seen.working] == ["h:1:q"]
    assert (stats.info(seen).workers, stats.info(seen).working) == (2, 2)


def test_an_overview_counts_the_delayed_jobs_of_both_kinds(redis, monkeypatch):
    monkeypatch.setattr(stats, "TIMES_COUNTED", 2)
    redis.zadd("resque:later", {"a": 1, "b": 2})
    for time in (5, 6):
        redis.zadd("resque:delayed_queue_schedule", {str(time): time})
        redis.rpush(f"resque:delayed:{time}", "c", "d")

    seen = stats.overview()

    assert (seen.delayed, seen.are_more_delayed) == (6, False)


def test_an_overview_looks_at_no_more_than_some_times(redis, monkeypatch):
    monkeypatch.setattr(stats, "TIMES_COUNTED", 2)
    for time in (5, 6, 7):
        redis.zadd("resque:delayed_queue_schedule", {str(time): time})
        redis.rpush(f"resque:delayed:{time}", "c")

    seen = stats.overview()

    assert (seen.delayed, seen.are_more_delayed) == (2, True)


def test_the_environment_of_a_site_with_debug_is_development(redis, settings):
    settings.DEBUG = True

    assert stats.info().environment == "development"


def test_an_overview_of_nothing_is_empty(redis):
    seen = stats.overview()

    assert (seen.queues, seen.workers, seen.failed, seen.pending, seen.complaints) == ([], [], 0, 0, [])


@pytest.mark.parametrize("value, is_paused", [("true", True), (" TRUE ", True), ("yes", False), ("", False)])
def test_all_workers_are_paused_as_resque_says(redis, value, is_paused):
    redis.set("resque:pause-all-workers", value)

    assert stats.overview().is_all_paused is is_paused


def test_rubys_pause_of_all_workers_is_read(redis):
    load(redis, "pause_all_workers")

    assert stats.overview().is_all_paused


def test_every_damaged_key_is_complained_of_and_the_others_are_read(redis):
    for key in ("queues", "workers", "paused", "failed", "later", "delayed_queue_schedule"):
        redis.set(f"resque:{key}", "damaged")
    redis.set("resque:stat:processed", 7)
    redis.rpush("resque:stat:failed", "x")

    seen = stats.overview()

    assert seen.stat_processed == 7
    assert len(seen.complaints) == 7


def test_the_overview_takes_two_round_trips(redis, monkeypatch):
    load(redis, "worker_working")
    redis.zadd("resque:delayed_queue_schedule", {"5": 5})
    asked = []
    monkeypatch.setattr(stats, "fetch", lambda commands: asked.append(commands) or fetch(commands))

    stats.overview()

    assert len(asked) == 2


def test_redis_tells_of_itself_by_section(redis):
    seen = stats.redis_info()

    assert seen.figure("redis_version")
    assert seen.figure("no_such_figure") == ""
    assert "Memory" in seen.sections
    assert seen.complaints == []


def test_info_lines_are_read_by_section():
    text = "# Server\r\nredis_version:7.0\r\nexecutable:/a:b\r\n\r\n# Empty\r\nnothing here\r\n"

    assert stats.parse_info(text) == {"Server": {"redis_version": "7.0", "executable": "/a:b"}}
