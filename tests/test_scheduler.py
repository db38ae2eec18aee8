"""Turns of a scheduler, one at a time; its process is tested in ``process``."""

from __future__ import annotations

import json
import logging
import os
import signal
import time

import pytest
import redis as redis_client

from jobqueue import scheduler as module
from jobqueue.scheduler import Scheduler, duties
from jobqueue.store import delayed

LOCK = "resque:resque:resque_scheduler_master_lock"


@pytest.fixture
def scheduler(redis, attention):
    scheduler = Scheduler(attention, duties())
    yield scheduler
    scheduler._bell.close()
    scheduler._link.close()


def payload(id):
    return f'{{"class":"A","args":[],"id":"{id:>3}"}}'.encode()


def now_ms(redis):
    seconds, microseconds = redis.time()
    return seconds * 1000 + microseconds // 1000


def waiting(redis, queue="work"):
    return redis.lrange(f"resque:queue:{queue}", 0, -1)


def test_with_nothing_to_do_it_comes_again_after_the_interval(scheduler, settings):
    settings.JOBQUEUE_SCHEDULER_INTERVAL_SECONDS = 7.0

    assert scheduler.turn() == pytest.approx(7.0, abs=0.5)


@pytest.mark.parametrize("delay", [delayed.delay, delayed.delay_bare])
def test_what_is_due_goes_to_its_queue(redis, scheduler, delay):
    delay("work", [payload(number) for number in range(30)], now_ms(redis) - 1000)

    assert scheduler.turn() == pytest.approx(5.0, abs=0.5)
    assert waiting(redis) == [payload(number) for number in range(30)]


def test_it_comes_again_when_the_next_job_is_due(redis, scheduler):
    delayed.delay("work", [payload("x")], now_ms(redis) + 2_500)
    delayed.delay_bare("work", [payload("y")], now_ms(redis) + 4_000)

    assert scheduler.turn() == pytest.approx(2.5, abs=0.4)
    assert waiting(redis) == []


def test_it_does_not_hurry_for_what_a_scheduler_of_ruby_promotes(redis, scheduler):
    redis.set(LOCK, "host:1")
    delayed.delay_bare("work", [payload("x")], now_ms(redis) - 1000)

    assert scheduler.turn() == pytest.approx(5.0, abs=0.5)
    assert waiting(redis) == []


def test_a_long_way_is_gone_in_slices(redis, scheduler, monkeypatch):
    monkeypatch.setattr(module, "SLICE_SECONDS", 0.0)
    delayed.delay("work", [payload(number) for number in range(12)], now_ms(redis) - 1000)
    delayed.delay_bare("bare", [payload("x")], now_ms(redis) - 1000)

    assert scheduler.turn() == module.LEAST_SECONDS

    assert 0 < len(waiting(redis)) < 12
    assert waiting(redis, "bare") == [payload("x")]


def test_a_key_of_another_type_hinders_only_its_own_kind_and_is_told_once(redis, scheduler, caplog):
    redis.set("resque:later", "no set")
    delayed.delay_bare("work", [payload("x")], now_ms(redis) - 1000)

    for _ in range(2):
        scheduler.turn()

    assert waiting(redis) == [payload("x")]
    assert caplog.text.count("a key holds another type of value") == 1


def test_a_duty_that_breaks_hinders_no_other_and_is_told_once(redis, attention, caplog):
    def broken(link, now_ms):
        raise LookupError("a fault of ours")

    scheduler = Scheduler(attention, [broken, *duties()])
    delayed.delay("work", [payload("x")], now_ms(redis) - 1000)

    for _ in range(2):
        scheduler.turn()

    assert waiting(redis) == [payload("x")]
    assert caplog.text.count("LookupError: a fault of ours") == 2  # the line, and the end of its traceback
    scheduler._link.close()


@pytest.mark.parametrize("score", ["inf", "-inf", 1e300, -1e300])
@pytest.mark.parametrize("key", ["later", "delayed_queue_schedule"])
def test_a_moment_without_end_hinders_nothing(redis, scheduler, key, score):
    redis.zadd(f"resque:{key}", {"{}": score})
    delayed.delay("work", [payload("x")], now_ms(redis) - 1000)

    scheduler.turn()

    assert waiting(redis) == [payload("x")]


def test_a_job_that_nobody_can_read_becomes_a_failure_and_hinders_no_other(redis, scheduler):
    redis.zadd("resque:later", {b"{broken": 1})
    delayed.delay("work", [payload("x")], now_ms(redis) - 1000)

    scheduler.turn()

    assert waiting(redis) == [payload("x")]
    assert json.loads(redis.lindex("resque:failed", 0))["payload"]["raw"] == "{broken"


def test_an_unknown_job_is_brought_to_its_queue_where_a_worker_lets_it_fail(redis, scheduler):
    text = b'{"class":"Nobody::Knows","args":[1],"queue":"rubys"}'
    redis.rpush("resque:delayed:1", text)
    redis.zadd("resque:delayed_queue_schedule", {"1": 1})

    scheduler.turn()

    assert waiting(redis, "rubys") == [b'{"class":"Nobody::Knows","args":[1]}']


def test_a_duty_after_a_long_one_is_told_when_itself_begins(redis, attention, monkeypatch):
    told, later = [], 3.0

    def long(link, now_ms):
        told.append(now_ms)
        monkeypatch.setattr(module.time, "monotonic", lambda now=time.monotonic: now() + later)

    scheduler = Scheduler(attention, [long, lambda _, now_ms: told.append(now_ms)])
    scheduler.turn()
    scheduler._link.close()

    assert told[1] - told[0] == pytest.approx(3000, abs=500)


def test_it_runs_until_it_is_told_to_stop(redis, scheduler, attention):
    """Its third turn brings the news."""
    turn, turns = scheduler.turn, []

    def stop_at_third():
        turns.append(turn())
        if len(turns) == 3:
            signal.raise_signal(signal.SIGTERM)
        return 0.001

    scheduler.turn = stop_at_third

    scheduler.run()

    assert len(turns) == 3


def test_an_orphan_leaves_even_if_nobody_tells_it(redis, scheduler, attention, settings):
    settings.JOBQUEUE_SCHEDULER_INTERVAL_SECONDS = 0.01
    attention._supervisor = os.getpid()

    scheduler.run()

    assert attention.is_stopping


def test_a_redis_that_is_away_is_waited_for_and_told_once(redis_factory, settings, caplog, attention):
    server = redis_factory()
    settings.JOBQUEUE_REDIS_URL = server.url
    scheduler = Scheduler(attention, duties())
    turn, turns = scheduler.turn, []

    def away_and_back():
        turns.append(1)
        if len(turns) == 1:
            server.stop()
        elif len(turns) == 4:
            server.start()
        elif len(turns) == 5:
            signal.raise_signal(signal.SIGTERM)
        return turn()

    scheduler.turn = away_and_back

    with caplog.at_level(logging.WARNING):
        scheduler.run()

    assert len(turns) == 5
    assert caplog.text.count("Trying again until it answers.") == 1
    assert caplog.text.count("Redis answers again") == 1


def test_one_that_is_told_to_stop_waits_for_no_redis(settings, attention):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
    scheduler = Scheduler(attention, duties())
    turn = scheduler.turn

    def stop_and_turn():
        attention.stop()
        return turn()

    scheduler.turn = stop_and_turn
    began = time.monotonic()

    scheduler.run()

    assert time.monotonic() - began < 5


def test_errors_that_are_no_complaints_are_passed_on(redis, scheduler, monkeypatch):
    def refuse(link, now_ms):
        raise redis_client.ResponseError("ERR something else")

    scheduler._duties = [refuse]

    with pytest.raises(redis_client.ResponseError):
        scheduler.turn()
