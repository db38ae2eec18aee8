"""Jobs that run longer than they may: they are told, then killed, and no other job suffers."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue.failure import Failure
from jobqueue.payload import Job, decode, encode
from tests.process.conftest import (
    ASYNC,
    FORKING,
    LONG_LIVED,
    MODES,
    NAMES,
    THREADS,
    Jobworker,
    Ledger,
    Mode,
    enqueue,
    full_name,
    wait_for,
)

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]
SHORT = {"TEST_TIMEOUT_GRACE": "0.5"}
"""The time to clean up."""

TOLD = "The job ran longer than its timeout of 1 s"
KILLED = f"{TOLD}, did not end within 0.5 s of its JobTimeout, and its process was killed"


WAITING = ["spin", "sleep", "sleep_in_c", "match", "wait_for_thread", "wait_for_process"]
"""What a signal interrupts in the main thread of a process."""
STUBBORN = ["compute_in_c", "swallow", "hear_alarm", "stop_alarm", "block_alarm", "clean_up_for_long"]
"""What it does not."""


def by_mode(ways: dict[Mode, list[str]]) -> pytest.MarkDecorator:
    """Give a test each mode with each of its ways to take long: of waiting.py, or of awaiting.py."""
    cases = [(mode, way) for mode, some in ways.items() for way in some]
    return pytest.mark.parametrize(
        ("mode", "way"), cases, ids=[f"{NAMES[mode]}-{way}" for mode, way in cases]
    )


def failures(redis: redis_client.Redis) -> list[Failure]:
    return [Failure.parse(raw) for raw in redis.lrange("resque:failed", 0, -1)]


def pids(ledger: Ledger) -> list[str]:
    """The processes of the jobs that tell theirs, in the order of their beginnings."""
    return [line.split()[-1] for line in ledger.lines() if re.fullmatch(r"began \d+ in \d+", line)]


def counters(redis: redis_client.Redis) -> list[bytes | None]:
    return redis.mget("resque:stat:processed", "resque:stat:failed")


@by_mode(
    {
        LONG_LIVED: WAITING,
        FORKING: WAITING,
        # The exception rises with the next step in Python, or where a coroutine awaits
        THREADS: ["spin", "rest"],
        ASYNC: ["sleep", "wait_for_thread", "wait_for_process"],
    }
)
def test_a_job_is_told_that_its_time_is_over_whatever_it_does_that_its_mode_can_interrupt(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("overrun", 1, way, mode=mode)
    enqueue("perform", 2, mode=mode)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert (failure.exception, failure.error) == ("jobqueue.exceptions.JobTimeout", TOLD)
    assert any(f"in `{way}'" in line for line in failure.backtrace)
    assert "died" not in worker.log
    wait_for(lambda: counters(redis) == [b"2", b"1"])


@by_mode(
    {
        LONG_LIVED: STUBBORN,
        FORKING: STUBBORN,
        # No thread is told while it sits in C or waits for the system, no task while the loop is kept
        THREADS: ["sleep", "swallow_and_rest"],
        ASYNC: ["spin", "swallow"],
    }
)
def test_a_job_that_does_not_end_when_told_or_cannot_be_told_is_killed(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    jobworker("--queues", "work", *mode, **SHORT)
    enqueue("overrun", 1, way, mode=mode)
    enqueue("perform", 2, mode=mode)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert (failure.exception, failure.error) == ("jobqueue.exceptions.JobTimeout", KILLED)
    assert failure.job and failure.job.args[0] == 1
    # Counted as any job is whose process was killed
    wait_for(lambda: counters(redis) == [b"2", None])


@by_mode(
    {
        LONG_LIVED: ["sleep", "compute_in_c"],
        FORKING: ["sleep", "compute_in_c"],
        THREADS: ["compute_in_c"],
        ASYNC: ["compute_in_c"],
    }
)
def test_the_other_jobs_of_a_batch_are_performed_once_in_their_order(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    for number in range(1, 4):
        enqueue("perform", number, mode=mode)
    enqueue("overrun", 4, way, mode=mode)
    for number in range(5, 20):
        enqueue("perform", number, mode=mode)

    jobworker("--queues", "work", *mode, **SHORT)
    ledger.wait_for("19")

    done = [line for line in ledger.lines() if line.isdigit()]
    assert done == [str(number) for number in range(1, 20) if number != 4]
    assert [failure.job and failure.job.args[0] for failure in failures(redis)] == [4]
    wait_for(lambda: counters(redis)[0] == b"19")


@MODES
def test_jobs_behind_one_that_is_killed_go_back_unblamed(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    for number in range(2, 6):
        enqueue("perform", number, mode=mode)
    first = Job(full_name("overrun", mode), [1, "compute_in_c"])
    redis.lpush("resque:queue:work", encode(first))
    worker = jobworker("--queues", "work", *mode, **SHORT)
    wait_for(lambda: pids(ledger))

    redis.sadd("resque:paused", "work")
    wait_for(lambda: failures(redis))

    wait_for(lambda: redis.llen("resque:queue:work") == 4)
    waiting = [decode(text) for text in redis.lrange("resque:queue:work", 0, -1)]
    assert [(job.args[0], job.crashes) for job in waiting] == [(2, 0), (3, 0), (4, 0), (5, 0)]
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


@MODES
@pytest.mark.parametrize("raises", [True, False])
def test_a_job_may_clean_up_and_say_itself_how_it_ended(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, raises: bool
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("overrun_and_clean_up", 1, raises, mode=mode)
    enqueue("perform", 2, mode=mode)

    ledger.wait_for("2")

    # A coroutine is cancelled, and only its failure says why
    assert ledger.lines() == ["cleaned up 1: " + ("" if mode == ASYNC else TOLD), "2"]
    assert [failure.error for failure in failures(redis)] == [TOLD] * raises
    assert "died" not in worker.log


@MODES
def test_hooks_hear_that_a_jobs_time_is_over(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("Timed", 1, mode=mode)

    ledger.wait_for("JobTimeout in 1")

    (failure,) = wait_for(lambda: failures(redis))
    assert failure.exception == "jobqueue.exceptions.JobTimeout"


@MODES
def test_each_job_has_its_own_time_even_after_one_that_took_the_alarm(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    worker = jobworker("--queues", "work", *mode)
    way = "rest" if mode == THREADS else "sleep"
    enqueue("overrun", 1, way, mode=mode)
    # Only the main thread of a process has an alarm
    enqueue("spoil_alarm" if mode in (LONG_LIVED, FORKING) else "perform", 2)
    enqueue("perform", 3, 0.3, mode=mode)
    enqueue("overrun", 4, way, mode=mode)
    enqueue("perform", 5, 0.4, mode=mode)

    ledger.wait_for("5")

    assert [failure.error for failure in failures(redis)] == [TOLD, TOLD]
    assert {"2", "3", "5"} <= set(ledger.lines())
    if mode != FORKING:
        assert len(set(pids(ledger))) == 1
    assert "died" not in worker.log


@MODES
def test_a_site_may_give_every_job_a_timeout(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode, TEST_JOB_TIMEOUT="0.4")
    enqueue("clean_up", 1, mode=mode)
    enqueue("take_all_time", 2, 0.6, mode=mode)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    assert failure.error == "The job ran longer than its timeout of 0.4 s"


@MODES
def test_a_job_that_is_killed_for_its_timeout_is_not_tried_again(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode, **SHORT)
    enqueue("try_again_overrun", 1, mode=mode)
    enqueue("perform", 2, mode=mode)

    ledger.wait_for("2")

    assert [failure.error for failure in failures(redis)] == [KILLED]
    assert len(pids(ledger)) == 1
