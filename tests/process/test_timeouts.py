"""Jobs that run longer than they may: they are told, then killed, and no other job suffers."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue.failure import Failure
from jobqueue.payload import decode
from tests.process.conftest import Jobworker, Ledger, enqueue, wait_for

pytestmark = [
    pytest.mark.process,
    pytest.mark.parametrize("mode", [(), ("--jobs-per-fork", "1")], ids=["long-lived", "forking"]),
]
Start = Callable[..., Jobworker]
Mode = tuple[str, ...]
SHORT = {"TEST_TIMEOUT_GRACE": "0.5"}
"""The time to clean up."""

TOLD = "The job ran longer than its timeout of 0.3 s"
KILLED = f"{TOLD}, did not end within 0.5 s of its JobTimeout, and its process was killed"


def failures(redis: redis_client.Redis) -> list[Failure]:
    return [Failure.parse(raw) for raw in redis.lrange("resque:failed", 0, -1)]


def pids(ledger: Ledger) -> list[str]:
    """The processes of the jobs that tell theirs, in the order of their beginnings."""
    return [line.split()[-1] for line in ledger.lines() if re.fullmatch(r"began \d+ in \d+", line)]


def counters(redis: redis_client.Redis) -> list[bytes | None]:
    return redis.mget("resque:stat:processed", "resque:stat:failed")


@pytest.mark.parametrize(
    "way", ["spin", "sleep", "sleep_in_c", "match", "wait_for_thread", "wait_for_process"]
)
def test_a_job_is_told_that_its_time_is_over_whatever_it_does(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("overrun", 1, way)
    enqueue("perform", 2)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert (failure.exception, failure.error) == ("jobqueue.exceptions.JobTimeout", TOLD)
    assert any(f"in `{way}'" in line for line in failure.backtrace)
    assert "died" not in worker.log
    wait_for(lambda: counters(redis) == [b"2", b"1"])


@pytest.mark.parametrize(
    "way", ["compute_in_c", "swallow", "hear_alarm", "stop_alarm", "block_alarm", "clean_up_for_long"]
)
def test_a_job_that_does_not_end_when_told_is_killed(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    jobworker("--queues", "work", *mode, **SHORT)
    enqueue("overrun", 1, way)
    enqueue("perform", 2)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert (failure.exception, failure.error) == ("jobqueue.exceptions.JobTimeout", KILLED)
    assert failure.job and failure.job.args[0] == 1
    # Counted as any job is whose process was killed
    wait_for(lambda: counters(redis) == [b"2", None])


@pytest.mark.parametrize("way", ["sleep", "compute_in_c"])
def test_the_other_jobs_of_a_batch_are_performed_once_in_their_order(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    for number in range(1, 4):
        enqueue("perform", number)
    enqueue("overrun", 4, way)
    for number in range(5, 20):
        enqueue("perform", number)

    jobworker("--queues", "work", *mode, **SHORT)
    ledger.wait_for("19")

    done = [line for line in ledger.lines() if line.isdigit()]
    assert done == [str(number) for number in range(1, 20) if number != 4]
    assert [failure.job and failure.job.args[0] for failure in failures(redis)] == [4]
    wait_for(lambda: counters(redis)[0] == b"19")


def test_jobs_behind_one_that_is_killed_go_back_unblamed(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    for number in range(2, 6):
        enqueue("perform", number)
    redis.lpush("resque:queue:work", b'{"class":"tests.workload.jobs.overrun","args":[1,"compute_in_c"]}')
    worker = jobworker("--queues", "work", *mode, **SHORT)
    wait_for(lambda: pids(ledger))

    redis.sadd("resque:paused", "work")
    wait_for(lambda: failures(redis))

    wait_for(lambda: redis.llen("resque:queue:work") == 4)
    waiting = [decode(text) for text in redis.lrange("resque:queue:work", 0, -1)]
    assert [(job.args[0], job.crashes) for job in waiting] == [(2, 0), (3, 0), (4, 0), (5, 0)]
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


@pytest.mark.parametrize("raises", [True, False])
def test_a_job_may_clean_up_and_say_itself_how_it_ended(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, raises: bool
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("overrun_and_clean_up", 1, raises)
    enqueue("perform", 2)

    ledger.wait_for("2")

    assert ledger.lines() == [f"cleaned up 1: {TOLD}", "2"]
    assert [failure.error for failure in failures(redis)] == [TOLD] * raises
    assert "died" not in worker.log


def test_hooks_hear_that_a_jobs_time_is_over(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("Timed", 1)

    ledger.wait_for("JobTimeout in 1")

    (failure,) = wait_for(lambda: failures(redis))
    assert failure.exception == "jobqueue.exceptions.JobTimeout"


def test_each_job_has_its_own_time_even_after_one_that_took_the_alarm(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("overrun", 1, "sleep")
    enqueue("spoil_alarm", 2)
    enqueue("perform", 3, 0.3)
    enqueue("overrun", 4, "sleep")
    enqueue("perform", 5, 0.6)

    ledger.wait_for("5")

    assert [failure.error for failure in failures(redis)] == [TOLD, TOLD]
    assert {"2", "3", "5"} <= set(ledger.lines())
    if not mode:
        assert len(set(pids(ledger))) == 1
    assert "died" not in worker.log


def test_a_site_may_give_every_job_a_timeout(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode, TEST_JOB_TIMEOUT="0.4")
    enqueue("perform", 1, 600)
    enqueue("take_all_time", 2, 1.0)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert failure.error == "The job ran longer than its timeout of 0.4 s"


def test_a_job_that_is_killed_for_its_timeout_is_not_tried_again(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode, **SHORT)
    enqueue("try_again_overrun", 1)
    enqueue("perform", 2)

    ledger.wait_for("2")

    assert [failure.error for failure in failures(redis)] == [KILLED]
    assert len(pids(ledger)) == 1
