"""USR2 and CONT: workers pause after the running job, and continue."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, own_keys, title, wait_for, waits

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


def are_paused(worker: Jobworker, count: int = 1) -> bool:
    pids = worker.workers()
    return len(pids) == count and all(title(pid) == "jobworker (resque-3): Paused" for pid in pids)


def numbers(redis: redis_client.Redis) -> list[bytes]:
    """Return the arguments of the jobs that wait, in order."""
    return [payload.split(b'"args":[')[1][:1] for payload in redis.lrange("resque:queue:work", 0, -1)]


@MODES
@pytest.mark.parametrize("target", ["supervisor", "group"])
def test_workers_pause_after_the_running_job_and_continue(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, target: str, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    send = worker.signal if target == "supervisor" else worker.signal_all
    enqueue("begin_and_wait_for", 1, "go on")
    for number in (2, 3, 4):
        enqueue("perform", number)
    ledger.wait_for("began 1")

    send(signal.SIGUSR2)
    wait_for(lambda: "pausing after" in worker.log)
    worker.wait_until_passed_on()
    ledger.tell("go on")
    wait_for(lambda: are_paused(worker))
    assert ledger.lines() == ["began 1", "1"]
    assert numbers(redis) == [b"2", b"3", b"4"]
    assert redis.get("resque:stat:processed") == b"1"

    send(signal.SIGCONT)
    ledger.wait_for("4")
    assert ledger.lines() == ["began 1", "1", "2", "3", "4"]


@MODES
def test_paused_workers_neither_wait_at_doorbells_nor_fall_silent(
    redis: redis_client.Redis, jobworker: Start, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode, TEST_HEARTBEAT="0.2")
    worker.wait_until_idle()

    worker.signal(signal.SIGUSR2)
    wait_for(lambda: are_paused(worker))
    wait_for(lambda: not waits(redis))
    ((_, before),) = redis.zrange("resque:runs", 0, -1, withscores=True)

    wait_for(lambda: redis.zrange("resque:runs", 0, -1, withscores=True)[0][1] > before)


def test_a_worker_that_is_started_meanwhile_is_paused_too(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work")
    worker.wait_until_idle()
    worker.signal(signal.SIGUSR2)
    wait_for(lambda: are_paused(worker))
    (first,) = worker.workers()
    enqueue("perform", 1)

    worker.signal_one(first, signal.SIGKILL)

    wait_for(lambda: worker.workers() not in ([], [first]))
    wait_for(lambda: are_paused(worker))
    worker.signal(signal.SIGCONT)
    ledger.wait_for("1")


def test_one_of_two_workers_may_pause(redis: redis_client.Redis, jobworker: Start, ledger: Ledger) -> None:
    worker = jobworker("--queues", "work", "--count", "2")
    worker.wait_until_idle(workers=2)
    first, second = worker.workers()

    worker.signal_one(first, signal.SIGUSR2)
    wait_for(lambda: title(first).endswith("Paused"))
    enqueue("perform", 1)

    ledger.wait_for("1")
    assert title(first).endswith("Paused")
    assert not title(second).endswith("Paused")


@MODES
def test_a_stop_works_while_workers_are_paused(
    redis: redis_client.Redis, jobworker: Start, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--count", "2", *mode)
    worker.wait_until_idle(workers=2)
    worker.signal(signal.SIGUSR2)
    wait_for(lambda: are_paused(worker, 2))
    enqueue("perform", 1)

    worker.signal_all(signal.SIGTERM)

    assert worker.wait() == 0
    assert own_keys(redis) == ["resque:queue:work"]
