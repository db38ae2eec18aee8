"""Recurring jobs that schedulers in processes of their own fire."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis as redis_client

import jobqueue
from tests.process.conftest import Jobworker, Ledger, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


def count(redis: redis_client.Redis) -> int:
    return redis.llen("resque:queue:reports")


def ticks_since(redis: redis_client.Redis, began_ms: int, every_ms: int) -> tuple[int, int]:
    """Return how many ticks can have come until the last that was fired, and how many jobs there are."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hget("resque:fired", "often")
        pipe.llen("resque:queue:reports")
        fired, jobs = pipe.execute()
    return (int(fired.split()[0]) - began_ms) // every_ms, jobs


def test_each_tick_is_fired_once_by_many_schedulers_of_which_one_is_killed(
    redis: redis_client.Redis, jobscheduler: Start
) -> None:
    schedulers = [jobscheduler() for _ in range(3)]
    seconds, microseconds = redis.time()
    began_ms = seconds * 1000 + microseconds // 1000
    jobqueue.set_schedule("often", {"class": "Weekly", "every": "0.2s", "queue": "reports"})
    wait_for(lambda: count(redis) >= 5)

    schedulers[0].signal(signal.SIGKILL)

    before = count(redis)
    wait_for(lambda: count(redis) >= before + 10)
    ticks, jobs = ticks_since(redis, began_ms, 200)
    assert jobs <= ticks


def test_an_entry_of_a_file_is_performed(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "schedule.yml"
    path.write_text(
        "broken: {cron: nonsense}\n"
        "often:\n"
        "  every: [1h, {first_in: 1s}]\n"
        "  class: tests.workload.jobs.perform\n"
        "  args: 7\n"
        "  queue: work\n"
    )

    worker = jobworker("--queues", "work", scheduler=True, TEST_SCHEDULE_FILE=str(path))

    ledger.wait_for("7")
    assert "the entry 'broken' of the schedule cannot be used" in worker.log
    wait_for(lambda: redis.hexists("resque:delayed:last_enqueued_at", "often"))


def test_an_entry_that_is_set_counts_at_once_and_one_that_is_removed_no_more(
    redis: redis_client.Redis, jobscheduler: Start
) -> None:
    # So long that it has to be woken
    jobscheduler(TEST_SCHEDULER_INTERVAL="60")
    wait_for(lambda: any("b" in each["flags"] for each in redis.client_list()))

    jobqueue.set_schedule("often", {"class": "Weekly", "every": "0.1s", "queue": "reports"})
    wait_for(lambda: count(redis) >= 1)

    jobqueue.remove_schedule("often")
    # One turn may be under way
    wait_for(lambda: _stays(redis))


def _stays(redis: redis_client.Redis) -> bool:
    """Tell whether nothing was fired in some ticks' time."""
    before, until = count(redis), time.monotonic() + 0.5
    while time.monotonic() < until:
        if count(redis) != before:
            return False
        time.sleep(0.01)
    return True
