from __future__ import annotations

import threading
import time

import pytest
import redis as redis_client

from jobqueue import schedulerbell
from jobqueue.schedulerbell import SchedulerBell
from tests.process.conftest import wait_for, waits

BELL = "resque:wake_scheduler"
DEADLINE_SECONDS = 10.0


@pytest.fixture
def bell(redis):
    bell = SchedulerBell()
    yield bell
    bell.close()


def test_a_ring_ends_the_wait(redis, bell, attention):
    ringing = threading.Thread(target=lambda: (wait_for(lambda: waits(redis)), redis.rpush(BELL, "1")))
    ringing.start()
    began = time.monotonic()

    bell.wait(DEADLINE_SECONDS, attention)

    ringing.join()
    assert time.monotonic() - began < DEADLINE_SECONDS
    assert redis.exists(BELL) == 0


def test_the_wait_ends_with_its_time_and_a_later_one_hears_what_rings_meanwhile(redis, bell, attention):
    bell.wait(0.001, attention)
    redis.rpush(BELL, "1")
    began = time.monotonic()

    bell.wait(DEADLINE_SECONDS, attention)

    assert time.monotonic() - began < DEADLINE_SECONDS
    assert waits(redis) == 0


def test_a_signal_ends_the_wait(redis, bell, attention):
    attention.wake()

    bell.wait(DEADLINE_SECONDS, attention)

    wait_for(lambda: waits(redis) == 1)


def test_what_rang_for_one_that_leaves_rings_again(redis, bell, attention):
    bell.wait(0.001, attention)
    redis.rpush(BELL, "1")
    wait_for(lambda: waits(redis) == 0)

    bell.close()

    assert redis.lrange(BELL, 0, -1) == [b"1"]


def test_one_that_leaves_unrung_leaves_nothing(redis, bell, attention):
    bell.wait(0.001, attention)

    bell.close()

    wait_for(lambda: waits(redis) == 0)
    assert redis.keys() == []


def test_a_connection_that_was_cut_is_told_and_made_anew(redis, bell, attention):
    bell.wait(0.001, attention)
    wait_for(lambda: waits(redis) == 1)
    [waiting] = [each["id"] for each in redis.client_list() if "b" in each["flags"]]
    redis.client_kill_filter(_id=waiting)

    with pytest.raises(redis_client.ConnectionError):
        bell.wait(DEADLINE_SECONDS, attention)

    bell.wait(0.001, attention)
    wait_for(lambda: waits(redis) == 1)


def test_an_answer_that_is_overdue_is_not_waited_for(redis, bell, attention, monkeypatch):
    """The other end may have gone without a word."""
    monkeypatch.setattr(schedulerbell, "GRACE_SECONDS", -schedulerbell.BLOCK_SECONDS)
    bell.wait(0.001, attention)
    before = bell._connection

    bell.wait(0.001, attention)

    assert bell._connection is not before
