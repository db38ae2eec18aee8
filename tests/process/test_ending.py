"""USR1: the running job is ended, and its worker goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue.failure import Failure
from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, wait_for
from tests.redisserver import RedisServer

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]

TARGETS = pytest.mark.parametrize("target", ["supervisor", "worker", "group"])


def send(worker: Jobworker, target: str) -> None:
    if target == "supervisor":
        worker.signal(signal.SIGUSR1)
    elif target == "worker":
        (pid,) = worker.workers()
        worker.signal_one(pid, signal.SIGUSR1)
    else:
        worker.signal_all(signal.SIGUSR1)


def failures(redis: redis_client.Redis) -> list[Failure]:
    return [Failure.parse(entry) for entry in redis.lrange("resque:failed", 0, -1)]


@MODES
@TARGETS
def test_the_running_job_fails_and_the_next_one_is_not_hit(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, target: str, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("clean_up", 1)
    enqueue("begin_and_wait_for", 2, "go on")
    ledger.wait_for("began 1")
    before = worker.workers()

    send(worker, target)
    ledger.wait_for("began 2")
    ledger.tell("go on")
    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert (failure.exception, failure.error) == ("jobqueue.exceptions.TermException", "SIGUSR1")
    assert ledger.lines() == ["began 1", "cleaned up 1 after SIGUSR1", "began 2", "2"]
    wait_for(lambda: redis.get("resque:stat:processed") == b"2")
    assert redis.get("resque:stat:failed") == b"1"
    assert worker.workers() == before


@MODES
@TARGETS
def test_nothing_happens_to_an_idle_worker(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, target: str, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    worker.wait_until_idle()
    before = worker.workers()

    send(worker, target)
    if target != "worker":
        # A job that begins before the signal is passed on would rightly be ended by it
        wait_for(lambda: "ending the running jobs" in worker.log)
        worker.wait_until_passed_on()
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    ledger.tell("go on")

    ledger.wait_for("1")
    assert worker.workers() == before
    assert redis.llen("resque:failed") == 0


@MODES
@TARGETS
def test_nothing_happens_to_a_worker_that_still_waits_for_redis(
    redis_factory: Callable[..., RedisServer], jobworker: Start, target: str, mode: tuple[str, ...]
) -> None:
    server = redis_factory()
    server.kill()
    worker = jobworker("--queues", "work", *mode, REDIS_URL=server.url)
    (pid,) = wait_for(worker.workers)
    wait_for(lambda: f":{pid}:work: Redis at" in worker.log)

    send(worker, target)
    server.start()
    wait_for(lambda: f":{pid}:work: Redis answers again" in worker.log)
    worker.wait_until_idle()
    assert worker.workers() == [pid]


@MODES
def test_a_job_that_catches_it_and_returns_is_done(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("end_well", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGUSR1)

    ledger.wait_for("ended 1")
    wait_for(lambda: redis.get("resque:stat:processed") == b"1")
    assert redis.llen("resque:failed") == 0


@MODES
@pytest.mark.parametrize(
    ("name", "target"), [("clean_up", "supervisor"), ("clean_up", "worker"), ("get_stuck", "supervisor")]
)
def test_a_job_that_does_not_end_has_its_process_killed(
    redis: redis_client.Redis,
    jobworker: Start,
    ledger: Ledger,
    name: str,
    target: str,
    mode: tuple[str, ...],
) -> None:
    worker = jobworker("--queues", "work", "--term-timeout", "0.3", *mode)
    enqueue(name, *([1, 60] if name == "clean_up" else [1]))
    enqueue("perform", 2)
    ledger.wait_for("began 1")

    send(worker, target)
    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert failure.exception == "jobqueue.exceptions.DirtyExit"
    assert "SIGKILL (signal 9)" in failure.error
