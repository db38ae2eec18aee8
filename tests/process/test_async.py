"""Jobs that are ``async def``: on the event loop of one worker, and in workers of every other kind."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue.failure import Failure
from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, members, own_keys, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


def failures(redis: redis_client.Redis) -> list[Failure]:
    return [Failure.parse(entry) for entry in redis.lrange("resque:failed", 0, -1)]


@MODES
def test_an_asynchronous_job_is_performed(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    enqueue("anote", 1)
    jobworker("--queues", "work", *mode)

    wait_for(lambda: redis.get("resque:stat:processed") == b"1")
    assert ledger.lines() == ["began 1", "1"]


@MODES
def test_its_hooks_run_around_it(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    enqueue("AsyncHooked", 1)
    enqueue("AsyncHooked", 2, True)
    jobworker("--queues", "work", *mode)

    wait_for(lambda: redis.llen("resque:failed") == 1)
    assert ledger.lines() == [
        *("before 1", "around 1", "performed 1", "after 1"),
        *("before 2", "around 2", "performed 2", "failed 2"),
    ]


@MODES
def test_it_is_cancelled_at_its_timeout(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("aoverrun", 1)

    wait_for(lambda: redis.llen("resque:failed") == 1)
    assert failures(redis)[0].exception == "jobqueue.exceptions.JobTimeout"
    assert failures(redis)[0].error == "The job ran longer than its timeout of 1 s"
    enqueue("anote", 2)
    ledger.wait_for("2")
    assert "died" not in worker.log


@MODES
def test_it_is_cancelled_by_a_signal(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("aclean_up", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGUSR1)

    wait_for(lambda: redis.llen("resque:failed") == 1)
    assert failures(redis)[0].exception == "jobqueue.exceptions.TermException"
    assert ledger.lines() == ["began 1", "cleaned up 1"]


@MODES
def test_one_that_returns_when_cancelled_is_done(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("aend_well", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGUSR1)

    wait_for(lambda: redis.get("resque:stat:processed") == b"1")
    assert (ledger.lines(), redis.llen("resque:failed")) == (["began 1", "ended 1"], 0)


@MODES
def test_a_stop_that_cannot_wait_puts_it_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0.5", *mode)
    enqueue("aclean_up", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert ledger.lines() == ["began 1", "cleaned up 1"]
    assert own_keys(redis) == ["resque:queue:work"]
    assert redis.llen("resque:queue:work") == 1


@MODES
def test_an_exit_in_it_is_its_own_failure(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("aexit", 1)
    enqueue("anote", 2)

    ledger.wait_for("2")
    wait_for(lambda: redis.llen("resque:failed") == 1)
    assert failures(redis)[0].exception == "SystemExit"
    assert "died" not in worker.log


@MODES
def test_a_process_that_it_forks_and_that_comes_back_performs_nothing(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("afork", 1)

    wait_for(lambda: redis.get("resque:stat:processed") == b"1")
    wait_for(lambda: len(members(worker.pid)) == 3, "the forked process to be gone")
    assert ledger.lines() == ["1"]


@MODES
def test_it_enqueues_with_and_without_waiting(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("enqueue_more", 1)

    wait_for(lambda: redis.get("resque:stat:processed") == b"3")
    assert {"1", "2"} < {*ledger.lines()}


def test_as_many_run_at_a_time_as_are_asked_for(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    for number in range(5):
        enqueue("await_word", number, f"go on {number}")
    jobworker("--queues", "work", "--async", "3")

    wait_for(lambda: len(ledger.lines()) == 3)
    ledger.tell("go on 1")
    ledger.wait_for("began 3")
    assert sorted(ledger.lines()) == ["1", "began 0", "began 1", "began 2", "began 3"]

    for number in (0, 2, 3, 4):
        ledger.tell(f"go on {number}")
    wait_for(lambda: redis.get("resque:stat:processed") == b"5")


def test_the_option_alone_means_fifty(redis: redis_client.Redis, jobworker: Start, ledger: Ledger) -> None:
    for number in range(60):
        enqueue("await_word", number, "go on")
    jobworker("--queues", "work", "--async")

    wait_for(lambda: len(ledger.lines()) == 50)
    assert redis.get("resque:stat:processed") is None
    ledger.tell("go on")
    wait_for(lambda: redis.get("resque:stat:processed") == b"60")


def test_an_ordinary_job_does_not_hold_the_others_up(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--async", "3")
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")

    enqueue("anote", 2)
    ledger.wait_for("2")
    ledger.tell("go on")
    ledger.wait_for("1")


def test_one_that_blocks_the_loop_is_killed_and_its_neighbours_go_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--async", "3", TEST_TIMEOUT_GRACE="0.5")
    enqueue("await_word", 1, "go on")
    ledger.wait_for("began 1")
    enqueue("block_loop", 2)

    wait_for(lambda: redis.llen("resque:failed") == 1)
    assert re.search(r"timeout of 1 s, did not end within", failures(redis)[0].error)
    wait_for(lambda: ledger.lines().count("began 1") == 2, "the neighbour to begin again")
    ledger.tell("go on")
    ledger.wait_for("1")


def test_a_process_that_one_forks_leaves_its_neighbours_alone(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--async", "3")
    enqueue("anote", 1, 1.0)
    ledger.wait_for("began 1")

    enqueue("afork", 2)

    wait_for(lambda: redis.get("resque:stat:processed") == b"2")
    enqueue("anote", 3, 0.5)
    ledger.wait_for("3")
    assert ledger.lines() == ["began 1", "2", "1", "began 3", "3"]


def test_one_that_keeps_the_thread_of_synchronous_parts_holds_up_nobody_without_any(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--async", "3")
    enqueue("ask_database_aside", 1)
    ledger.wait_for("1")
    enqueue("wait_aside", 2, "go on")
    ledger.wait_for("began 2")

    enqueue("anote", 3)
    wait_for(lambda: redis.get("resque:stat:processed") == b"2", "a job that needs no thread")
    ledger.tell("go on")
    ledger.wait_for("2")


def test_one_that_has_ended_waits_for_that_thread_in_nobodys_time(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--async", "3", TEST_TIMEOUT_GRACE="0.1")
    enqueue("ask_database_aside", 1)
    ledger.wait_for("1")
    enqueue("await_in_time", 2, "end")
    ledger.wait_for("began 2")
    enqueue("wait_aside", 3, "go on")
    ledger.wait_for("began 3")

    ledger.tell("end")
    ledger.wait_for("2")
    with pytest.raises(AssertionError):
        wait_for(lambda: "died" in worker.log, seconds=2.0)
    ledger.tell("go on")

    wait_for(lambda: redis.get("resque:stat:processed") == b"3")
    assert redis.llen("resque:failed") == 0


def test_many_short_ones_are_all_performed_once(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    for number in range(1000):
        enqueue("anote", number)

    jobworker("--queues", "work", "--async", "20", "--count", "2")

    wait_for(lambda: redis.get("resque:stat:processed") == b"1000")
    done = [int(line) for line in ledger.lines() if line.isdigit()]
    assert sorted(done) == list(range(1000))


def test_all_running_ones_of_a_dead_process_are_suspects(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--async", "3")
    enqueue("await_word", 1, "never")
    enqueue("await_word", 2, "never")
    wait_for(lambda: len(ledger.lines()) == 2)
    [pid] = worker.workers()

    os.kill(pid, signal.SIGKILL)

    wait_for(lambda: redis.llen("resque:failed") == 2)
    enqueue("anote", 3)
    ledger.wait_for("3")
