"""What a supervisor does in a turn when its machine, its workers or Redis's clock fail it."""

from __future__ import annotations

import os
import time

import pytest

from jobqueue.conf import settings as jobqueue_settings
from jobqueue.patterns import QueueList
from jobqueue.supervisor import Supervisor
from jobqueue.workeroptions import WorkerOptions


@pytest.fixture
def supervisor(redis, attention, monkeypatch):
    """A supervisor on a machine that can start no process."""

    def fork():
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    supervisor = Supervisor(WorkerOptions(queues=QueueList.parse("work")))
    yield supervisor
    supervisor._link.close()
    supervisor._attention.close()


@pytest.fixture
def silent_run(redis):
    """A run whose last heartbeat is long ago, with a job in flight."""
    redis.zadd("resque:runs", {"silent": 1})
    redis.hset("resque:inflight:silent", mapping={"worker": "host:1:work", "1": "0:4:worka"})


def beat(supervisor):
    supervisor._heartbeat_at = 0.0
    supervisor.turn()


def test_a_worker_that_cannot_be_started_is_tried_again_later(supervisor, caplog):
    supervisor.turn()
    supervisor.turn()

    assert caplog.messages == ["no worker can be started: Resource temporarily unavailable"]
    assert supervisor._slots[0].restart_at > time.monotonic()


@pytest.mark.usefixtures("silent_run")
def test_a_steady_supervisor_recovers_silent_runs(supervisor, redis):
    supervisor.turn()
    supervisor._steady_since -= jobqueue_settings.dead_after_seconds

    beat(supervisor)

    assert redis.lrange("resque:queue:work", 0, -1) == [b"a"]


@pytest.mark.usefixtures("silent_run")
def test_after_a_jump_of_redis_clock_nobody_is_taken_for_dead(supervisor, redis):
    """The living look silent until each of them has sent its next heartbeat."""
    supervisor.turn()
    supervisor._steady_since -= jobqueue_settings.dead_after_seconds
    supervisor._ahead -= 60

    beat(supervisor)

    assert redis.exists("resque:queue:work") == 0
