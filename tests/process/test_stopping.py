"""Stopping: what the running job, its queue and Redis look like afterwards."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue.attention import SAME_SECONDS
from jobqueue.failure import Failure
from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, own_keys, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


def failure(redis: redis_client.Redis) -> Failure:
    """Return the only failure."""
    (entry,) = redis.lrange("resque:failed", 0, -1)
    return Failure.parse(entry)


def waiting(redis: redis_client.Redis) -> list[str]:
    """Return the names of the jobs that wait, in order."""
    payloads = redis.lrange("resque:queue:work", 0, -1)
    return [payload.split(b'"')[3].decode().removeprefix("tests.workload.jobs.") for payload in payloads]


@MODES
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_the_running_job_and_leaves_no_trace(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, number: int, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("begin_and_wait", 1, 0.4)
    ledger.wait_for("began 1")
    enqueue("perform", 2)

    worker.signal_all(number)

    assert worker.wait() == 0
    assert ledger.lines() == ["began 1", "1"]
    assert redis.llen("resque:queue:work") == 1
    assert own_keys(redis) == ["resque:queue:work"]


@MODES
def test_a_job_over_the_shutdown_timeout_is_put_back_at_the_head(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0.3", *mode)
    enqueue("begin_and_wait", 1, 60)
    ledger.wait_for("began 1")
    enqueue("perform", 2)

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    waiting = redis.lrange("resque:queue:work", 0, -1)
    assert [b"begin_and_wait" in each for each in waiting] == [True, False]
    assert b"crashes" not in waiting[0]
    assert own_keys(redis) == ["resque:queue:work"]
    assert redis.llen("resque:failed") == 0


def test_a_second_signal_ends_the_job_at_once_and_puts_it_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work")
    enqueue("begin_and_wait", 1, 60)
    ledger.wait_for("began 1")

    worker.signal_all(signal.SIGTERM)
    time.sleep(SAME_SECONDS + 0.2)  # until then a repetition is the same signal
    worker.signal_all(signal.SIGTERM)

    assert worker.wait() == 0
    assert redis.llen("resque:queue:work") == 1
    assert own_keys(redis) == ["resque:queue:work"]


@MODES
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_job_that_is_ended_cleans_up_and_goes_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, number: signal.Signals, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0.2", *mode)
    enqueue("clean_up", 1, 0.2)
    ledger.wait_for("began 1")
    enqueue("perform", 2)

    worker.signal_all(number)
    assert worker.wait() == 0

    assert ledger.lines() == ["began 1", f"cleaned up 1 after {number.name}"]
    assert waiting(redis) == ["clean_up", "perform"]
    assert redis.llen("resque:failed") == 0
    assert own_keys(redis) == ["resque:queue:work"]
    assert "put back: (Job{work} | tests.workload.jobs.clean_up" in worker.log
    assert "failed:" not in worker.log and "died" not in worker.log


@MODES
def test_a_job_that_returns_when_it_is_ended_is_done(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0", *mode)
    enqueue("end_well", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    assert ledger.lines() == ["began 1", "ended 1"]
    assert redis.get("resque:stat:processed") == b"1"
    assert own_keys(redis) == []


@MODES
def test_a_job_that_raises_something_else_when_it_is_ended_fails_with_that(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0", *mode)
    enqueue("end_badly", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    assert (failure(redis).exception, failure(redis).error) == ("ValueError", "job 1 was not ready")
    assert own_keys(redis) == []


@MODES
@pytest.mark.parametrize("name", ["clean_up", "get_stuck"])
def test_a_job_that_does_not_end_in_its_time_is_given_up_and_goes_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, name: str, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0.1", "--term-timeout", "0.2", *mode)
    enqueue(name, *([1, 60] if name == "clean_up" else [1]))
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    assert waiting(redis) == [name]
    assert b"crashes" not in redis.lindex("resque:queue:work", 0)
    assert redis.llen("resque:failed") == 0
    assert own_keys(redis) == ["resque:queue:work"]


@MODES
def test_a_setting_lets_jobs_that_are_ended_fail(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0", *mode, TEST_FAIL_STOPPED="1")
    enqueue("clean_up", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    found = failure(redis)
    assert (found.exception, found.error) == ("jobqueue.exceptions.TermException", "SIGTERM")
    assert "waiting.py" in found.backtrace[0]
    assert redis.get("resque:stat:failed") == b"1"
    assert own_keys(redis) == []


@MODES
@pytest.mark.parametrize(
    ("environ", "told"), [({}, ["began 1"]), ({"TERM_CHILD": "1"}, ["began 1", "failed 1"])]
)
def test_hooks_of_failures_run_for_failures_only(
    redis: redis_client.Redis,
    jobworker: Start,
    ledger: Ledger,
    environ: dict[str, str],
    told: list[str],
    mode: tuple[str, ...],
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0", *mode, **environ)
    enqueue("Hooked", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    assert ledger.lines() == told


# As the table in Resque's documents has it


@MODES
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_with_term_child_a_job_is_ended_at_once_and_fails(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, number: signal.Signals, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode, TERM_CHILD="1")
    enqueue("clean_up", 1)
    ledger.wait_for("began 1")

    worker.signal_all(number)
    assert worker.wait() == 0

    found = failure(redis)
    assert (found.exception, found.error) == ("jobqueue.exceptions.TermException", number.name)
    assert ledger.lines() == ["began 1", f"cleaned up 1 after {number.name}"]
    assert own_keys(redis) == []


@MODES
def test_with_term_child_a_job_has_the_time_that_is_set_to_end_by_itself(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode, TERM_CHILD="1", RESQUE_PRE_SHUTDOWN_TIMEOUT="30")
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")

    worker.signal_all(signal.SIGTERM)
    wait_for(lambda: "stopping" in worker.log)
    ledger.tell("go on")

    assert worker.wait() == 0
    assert ledger.lines() == ["began 1", "1"]
    assert own_keys(redis) == []


@MODES
@pytest.mark.parametrize("name", ["clean_up", "get_stuck"])
def test_with_term_child_a_job_that_does_not_end_is_a_dirty_exit(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, name: str, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode, TERM_CHILD="1", RESQUE_TERM_TIMEOUT="0.3")
    enqueue(name, *([1, 60] if name == "clean_up" else [1]))
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    assert failure(redis).exception == "jobqueue.exceptions.DirtyExit"
    assert (redis.get("resque:stat:processed"), redis.get("resque:stat:failed")) == (b"1", None)
    assert own_keys(redis) == []


@MODES
@pytest.mark.parametrize(
    ("variable", "number"),
    [("TERM_CHILD", signal.SIGQUIT), ("GRACEFUL_TERM", signal.SIGQUIT), ("GRACEFUL_TERM", signal.SIGTERM)],
)
def test_a_stop_without_limit_waits_for_the_job(
    redis: redis_client.Redis,
    jobworker: Start,
    ledger: Ledger,
    variable: str,
    number: signal.Signals,
    mode: tuple[str, ...],
) -> None:
    asked = ("--queues", "work", "--shutdown-timeout", "0", "--term-timeout", "0")
    worker = jobworker(*asked, *mode, **{variable: "1"})
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")

    worker.signal_all(number)
    wait_for(lambda: "stopping" in worker.log)
    time.sleep(1.0)  # with a limit it would be over by now
    ledger.tell("go on")

    assert worker.wait() == 0
    assert ledger.lines() == ["began 1", "1"]
    assert redis.llen("resque:failed") == 0


@MODES
def test_a_signal_to_one_worker_ends_that_one_and_another_takes_its_place(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--burst", *mode)
    enqueue("begin_and_wait_for", 1, "go on")
    enqueue("perform", 2)
    ledger.wait_for("began 1")
    (first,) = worker.workers()

    worker.signal_one(first, signal.SIGTERM)
    ledger.tell("go on")

    assert worker.wait() == 0
    assert ledger.lines() == ["began 1", "1", "2"]
    assert worker.log.count("started") == 2
    assert "died" not in worker.log
