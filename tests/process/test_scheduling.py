"""Schedulers in processes of their own: beside the workers of a supervisor, and alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue import ids, payload
from jobqueue.payload import Job
from jobqueue.store import delayed
from tests.process.conftest import Jobworker, Ledger, members, own_keys, state, title, wait_for, waits

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]
LOCK = "resque:resque:resque_scheduler_master_lock"


def job(number: int) -> bytes:
    return payload.encode(Job("tests.workload.jobs.perform", [number], id=ids.new_id()))


def delay(seconds: float, *numbers: int, bare: bool = False) -> None:
    moment_ms = round((time.time() + seconds) * 1000)
    put = delayed.delay_bare if bare else delayed.delay
    put("work", [job(number) for number in numbers], moment_ms)


@pytest.mark.parametrize("bare", [False, True])
def test_a_delayed_job_is_performed_once_it_is_due(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, bare: bool
) -> None:
    worker = jobworker("--queues", "work", scheduler=True, TEST_SCHEDULER_INTERVAL="600")
    worker.wait_until_idle()
    wait_for(lambda: waits(redis) == 2)

    delay(1.2, 1, bare=bare)

    due = time.time() + (0 if bare else 1.1)
    ledger.wait_for("1")
    assert due <= time.time()


def test_a_scheduler_looks_like_one_in_the_list_of_processes_and_is_no_worker(
    redis: redis_client.Redis, jobworker: Start
) -> None:
    worker = jobworker("--queues", "work", scheduler=True)

    [scheduler] = wait_for(worker.schedulers)
    worker.wait_until_idle()
    assert title(scheduler) == "jobworker (resque-3): Scheduling"
    assert redis.scard("resque:workers") == redis.zcard("resque:runs") == 1


def test_a_scheduler_that_is_killed_is_replaced_and_nothing_is_late(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", scheduler=True, TEST_SCHEDULER_INTERVAL="600")
    [scheduler] = wait_for(worker.schedulers)
    delay(1, 1)

    os.kill(scheduler, signal.SIGKILL)

    ledger.wait_for("1")
    assert f"scheduler {scheduler} died" in worker.log
    wait_for(lambda: len(worker.schedulers()) == 1)


def test_a_scheduler_elsewhere_takes_over(
    redis: redis_client.Redis, jobworker: Start, jobscheduler: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work")
    one, other = jobscheduler(), jobscheduler()
    wait_for(lambda: waits(redis) == 3)
    delay(1, 1)

    one.signal(signal.SIGKILL)

    ledger.wait_for("1")
    assert other.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_it_leaves_with_its_supervisor(redis: redis_client.Redis, jobworker: Start, number: int) -> None:
    worker = jobworker("--queues", "work", scheduler=True)
    wait_for(worker.schedulers)
    worker.wait_until_idle()

    worker.signal_all(number)

    assert worker.wait() == 0
    wait_for(lambda: not members(worker.pid))
    assert "died" not in worker.log


def test_it_does_not_survive_its_supervisor(redis: redis_client.Redis, jobworker: Start) -> None:
    worker = jobworker("--queues", "work", scheduler=True)
    wait_for(worker.schedulers)
    worker.wait_until_idle()

    worker.signal(signal.SIGKILL)
    worker.wait()

    wait_for(lambda: not members(worker.pid))


def test_one_that_is_stuck_does_not_survive_its_supervisor_either(
    redis: redis_client.Redis, jobworker: Start
) -> None:
    worker = jobworker("--queues", "work", "--term-timeout", "0", scheduler=True)
    [scheduler] = wait_for(worker.schedulers)
    # The worker, and the scheduler: by then it has asked to be killed with its parent
    wait_for(lambda: waits(redis) == 2)
    worker.signal_one(scheduler, signal.SIGSTOP)
    for guardian in worker.guardians():
        worker.signal_one(guardian, signal.SIGSTOP)

    worker.signal(signal.SIGKILL)

    wait_for(lambda: state(scheduler) in ("", "Z"))


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT, signal.SIGTTIN])
def test_what_is_meant_for_workers_does_not_end_it(
    redis: redis_client.Redis, jobworker: Start, number: int
) -> None:
    worker = jobworker("--queues", "work", scheduler=True)
    [scheduler] = wait_for(worker.schedulers)
    worker.wait_until_idle()
    wait_for(lambda: waits(redis) == 2)

    worker.signal_all(number)

    delay(0.3, 1)
    wait_for(lambda: redis.exists("resque:later") == 0)
    assert worker.schedulers() == [scheduler]


def test_new_code_gets_a_new_scheduler(redis: redis_client.Redis, jobworker: Start, ledger: Ledger) -> None:
    worker = jobworker("--queues", "work", scheduler=True)
    [old] = wait_for(worker.schedulers)
    worker.wait_until_idle()

    worker.signal(signal.SIGHUP)

    wait_for(lambda: worker.schedulers() and worker.schedulers() != [old])
    assert state(old) == ""
    delay(0.3, 1)
    ledger.wait_for("1")
    assert len(worker.schedulers()) == 1


@pytest.mark.parametrize("option", ["--burst", "--no-scheduler"])
def test_workers_may_run_without_one(redis: redis_client.Redis, jobworker: Start, option: str) -> None:
    delay(-1, 1)
    worker = jobworker("--queues", "work", option, scheduler=True)
    if option == "--burst":
        assert worker.wait() == 0
    else:
        worker.wait_until_idle()

    assert worker.schedulers() == []
    assert redis.zcard("resque:later") == 1


def test_a_command_schedules_alone(redis: redis_client.Redis, jobscheduler: Start) -> None:
    scheduler = jobscheduler()
    wait_for(lambda: waits(redis) == 1)
    wait_for(lambda: title(scheduler.pid) == "jobworker (resque-3): Scheduling")

    delay(0.3, 1)
    delay(0.3, 2, bare=True)
    wait_for(lambda: redis.llen("resque:queue:work") == 2)

    scheduler.signal(signal.SIGTERM)
    assert scheduler.wait() == 0
    assert own_keys(redis) == ["resque:queue:work"]
    assert f"scheduler {scheduler.pid} started" in scheduler.log
    assert f"scheduler {scheduler.pid} left" in scheduler.log


def test_a_scheduler_of_ruby_is_left_alone_until_its_lock_is_gone(
    redis: redis_client.Redis, jobscheduler: Start
) -> None:
    redis.set(LOCK, "rubyhost:4711")
    delay(0.2, 1)
    delayed.delay_bare("bare", [job(2)], round(time.time() * 1000) - 1000)
    jobscheduler(TEST_SCHEDULER_INTERVAL="0.1")
    wait_for(lambda: redis.llen("resque:queue:work") == 1)
    assert redis.get(LOCK) == b"rubyhost:4711"
    assert redis.llen("resque:queue:bare") == 0

    redis.delete(LOCK)

    wait_for(lambda: redis.llen("resque:queue:bare") == 1)
    assert redis.exists(LOCK) == 0


def test_whatever_is_killed_each_job_is_promoted_once(redis: redis_client.Redis, jobscheduler: Start) -> None:
    """Three schedulers at work at once, one of which is killed again and again."""
    numbers = range(30_000)
    moment_ms = round(time.time() * 1000)
    for start in range(0, len(numbers), 1000):
        jobs = [job(number) for number in numbers[start : start + 1000]]
        half = delayed.delay if start % 2000 else delayed.delay_bare
        half("work", jobs, moment_ms + 1500 + start // 10)
    schedulers = [jobscheduler() for _ in range(3)]

    for each in schedulers[1:]:
        promoted = redis.llen("resque:queue:work")
        wait_for(lambda: redis.llen("resque:queue:work") > promoted)  # noqa: B023 - called at once
        each.signal(signal.SIGKILL)
    wait_for(lambda: redis.llen("resque:queue:work") >= len(numbers))

    found = sorted(payload.decode(text).args[0] for text in redis.lrange("resque:queue:work", 0, -1))
    assert found == list(numbers)
    assert own_keys(redis) == ["resque:queue:work"]
