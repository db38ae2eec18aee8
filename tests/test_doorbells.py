from __future__ import annotations

import os
import threading

import pytest
import redis as redis_client

from jobqueue import doorbells
from jobqueue.doorbells import Doorbells
from tests.process.conftest import wait_for


@pytest.fixture
def bells(redis):
    bells = Doorbells()
    yield bells
    bells.close()


@pytest.fixture
def pipe():
    """Yield the two ends of a pipe, for reading and writing."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def wait(bells, pipe):
    """Return a function that waits at the doorbells of some queues."""

    def wait(*queues, seconds=5.0, new_queues=False):
        return bells.wait(queues, seconds, pipe[0], new_queues=new_queues)

    return wait


def listeners(redis):
    return [each["id"] for each in redis.client_list() if each["cmd"] == "blpop"]


def test_a_ring_tells_its_queue_and_is_used_up(redis, wait):
    redis.rpush("resque:wake:work", "1")

    assert wait("mail", "work") == "work"

    assert redis.exists("resque:wake:work") == 0


def test_the_first_of_the_queues_that_ring_is_told(redis, wait):
    redis.rpush("resque:wake:low", "1")
    redis.rpush("resque:wake:high", "1")

    assert [wait("high", "low"), wait("high", "low")] == ["high", "low"]


@pytest.mark.parametrize("name", [b"\xc3\xbc:n\xc3\xaf", b"\xff\x00"])
def test_any_bytes_may_be_a_queues_name(redis, wait, name):
    redis.rpush(b"resque:wake:" + name, "1")

    assert wait(name.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") == name


def test_a_wait_ends_without_a_ring(wait):
    assert wait("work", seconds=0.01) == ""
    assert wait("work", seconds=0.01) == ""


def test_a_worker_with_patterns_hears_of_new_queues(redis, wait):
    redis.rpush("resque:wake", "1")

    assert wait(new_queues=True) == ""

    assert redis.exists("resque:wake") == 0


def test_a_worker_without_patterns_leaves_the_bell_of_new_queues_to_others(redis, wait):
    redis.rpush("resque:wake", "1")

    assert wait("work", seconds=0.01) == ""

    assert redis.exists("resque:wake") == 1


def test_a_signal_ends_a_wait_whose_answer_is_not_taken_for_the_next(redis, wait, pipe):
    os.write(pipe[1], b"!")
    assert wait("work", seconds=60) == ""
    os.read(pipe[0], 1)

    redis.rpush("resque:wake:mail", "1")

    assert wait("mail") == "mail"


def test_a_ring_that_comes_with_a_signal_is_told(redis, wait, pipe, monkeypatch):
    unblock = Doorbells._unblock

    def ring_just_before(self, bell):
        redis.rpush("resque:wake:work", "1")
        unblock(self, bell)

    monkeypatch.setattr(Doorbells, "_unblock", ring_just_before)
    os.write(pipe[1], b"!")

    assert wait("work", seconds=60) == "work"
    os.read(pipe[0], 1)
    wait_for(lambda: redis.keys("resque:unblock:*") == [])
    assert wait("work", seconds=0.01) == ""


def test_a_redis_that_gives_no_answer_ends_the_wait(redis_factory, monkeypatch, wait):
    server = redis_factory()
    monkeypatch.setenv("REDIS_URL", server.url)
    monkeypatch.setattr(doorbells, "GRACE_SECONDS", 0.05)
    assert wait("work", seconds=0.01) == ""

    server.freeze()
    assert wait("work", seconds=0.01) == ""
    server.thaw()


def test_a_connection_that_was_cut_is_told_and_made_anew(redis, wait):
    cutting = threading.Thread(
        target=lambda: redis.client_kill_filter(_id=wait_for(lambda: listeners(redis))[0])
    )
    cutting.start()

    with pytest.raises(redis_client.ConnectionError):
        wait("work", seconds=60)
    cutting.join()

    redis.rpush("resque:wake:work", "1")
    assert wait("work") == "work"
