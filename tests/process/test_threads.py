"""Several jobs at a time in the threads of one worker."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue.failure import Failure
from jobqueue.inspection import inflight
from tests.process.conftest import Jobworker, Ledger, enqueue, own_keys, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


def failures(redis: redis_client.Redis) -> list[Failure]:
    return [Failure.parse(entry) for entry in redis.lrange("resque:failed", 0, -1)]


def test_as_many_jobs_run_at_a_time_as_there_are_threads(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    for number in range(5):
        enqueue("begin_and_wait_for", number, f"go on {number}")
    jobworker("--queues", "work", "--threads", "3")

    wait_for(lambda: len(ledger.lines()) == 3)
    ledger.tell("go on 1")
    ledger.wait_for("began 3")
    assert sorted(ledger.lines()) == ["1", "began 0", "began 1", "began 2", "began 3"]

    for number in (0, 2, 3, 4):
        ledger.tell(f"go on {number}")
    wait_for(lambda: redis.get("resque:stat:processed") == b"5")


def test_short_jobs_are_all_performed_once(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    for number in range(2000):
        enqueue("perform", number)

    jobworker("--queues", "work", "--threads", "8", "--count", "2")

    wait_for(lambda: redis.get("resque:stat:processed") == b"2000")
    assert sorted(map(int, ledger.lines())) == list(range(2000))


def test_all_running_jobs_of_a_dead_process_are_suspects_and_the_others_go_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--threads", "3")
    enqueue("begin_and_wait_for", 1, "never")
    enqueue("begin_and_wait_for", 2, "never")
    wait_for(lambda: len(ledger.lines()) == 2)
    [pid] = worker.workers()

    worker.signal_one(pid, signal.SIGKILL)

    wait_for(lambda: redis.llen("resque:failed") == 2)
    for each in failures(redis):
        assert each.error == (
            f"Child process received unhandled signal pid {pid} SIGKILL (signal 9). "
            "It was performing 1 more, and which one was to blame is not known"
        )
    enqueue("perform", 3)
    ledger.wait_for("3")


def test_a_job_whose_time_is_over_is_told_and_the_others_go_on(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--threads", "3")
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    enqueue("overrun", 2, "spin")
    wait_for(lambda: redis.llen("resque:failed") == 1)

    assert failures(redis)[0].error == "The job ran longer than its timeout of 1 s"
    ledger.tell("go on")
    ledger.wait_for("1")


def test_a_job_that_does_not_end_at_its_timeout_fails_alone_and_its_neighbours_go_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--threads", "3", TEST_TIMEOUT_GRACE="0.5")
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    enqueue("overrun", 2, "sleep")

    wait_for(lambda: redis.llen("resque:failed") == 1)
    assert re.search(r"timeout of 1 s, did not end within", failures(redis)[0].error)
    wait_for(lambda: ledger.lines().count("began 1") == 2, "the neighbour to begin again")
    ledger.tell("go on")
    ledger.wait_for("1")


def test_a_job_that_is_to_be_alone_waits_until_nothing_else_runs_and_nothing_begins_beside_it(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--threads", "3")
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    enqueue("alone", 2, 0.3)
    enqueue("perform", 3)
    ledger.tell("go on")

    wait_for(lambda: len(ledger.lines()) == 4)
    assert ledger.lines() == ["began 1", "1", "2", "3"]


def test_the_page_shows_every_running_job(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--threads", "3")
    for number in (1, 2):
        enqueue("begin_and_wait_for", number, "go on")
    wait_for(lambda: len(ledger.lines()) == 2)

    [worker_id] = redis.smembers("resque:workers")

    def shown() -> list[int]:
        return [held.job.args[0] for held in inflight.of_worker(worker_id.decode()).jobs if held.is_started]

    wait_for(lambda: shown() == [1, 2])
    enqueue("perform", 3)
    ledger.wait_for("3")
    wait_for(lambda: redis.keys("resque:worker:*:work"), "the worker's page in Ruby to show a job again")
    ledger.tell("go on")


def test_a_stop_waits_for_every_running_job_and_puts_the_rest_back(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--threads", "2")
    for number in range(5):
        enqueue("begin_and_wait_for", number, "go on")
    wait_for(lambda: len(ledger.lines()) == 2)

    worker.signal(signal.SIGTERM)
    wait_for(lambda: redis.llen("resque:queue:work") == 3)
    ledger.tell("go on")

    assert worker.wait() == 0
    assert sorted(ledger.lines()) == ["0", "1", "began 0", "began 1"]
    assert own_keys(redis) == ["resque:queue:work"]


def test_a_stop_ends_every_job_that_does_not_end_in_time(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--threads", "2", "--shutdown-timeout", "0.5")
    for number in range(3):
        enqueue("clean_up", number)
    wait_for(lambda: len(ledger.lines()) == 2)

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert {"cleaned up 0 after SIGTERM", "cleaned up 1 after SIGTERM"} < {*ledger.lines()}
    assert redis.llen("resque:queue:work") == 3


def test_a_signal_ends_the_running_jobs_and_the_worker_stays(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--threads", "2")
    for number in range(2):
        enqueue("clean_up", number)
    wait_for(lambda: len(ledger.lines()) == 2)
    before = worker.workers()

    worker.signal(signal.SIGUSR1)

    wait_for(lambda: redis.llen("resque:failed") == 2)
    assert {each.exception for each in failures(redis)} == {"jobqueue.exceptions.TermException"}
    enqueue("perform", 3)
    ledger.wait_for("3")
    assert worker.workers() == before


def test_a_signal_ends_a_job_that_was_about_to_begin(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--threads", "2")
    enqueue("begin_late", 1)
    ledger.wait_for("about to begin")

    worker.signal(signal.SIGUSR1)

    wait_for(lambda: redis.llen("resque:failed") == 1)
    assert failures(redis)[0].exception == "jobqueue.exceptions.TermException"
    assert "died" not in worker.log


def test_a_pause_waits_for_every_running_job(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--threads", "2")
    for number in range(3):
        enqueue("begin_and_wait_for", number, "go on")
    wait_for(lambda: len(ledger.lines()) == 2)

    worker.signal(signal.SIGUSR2)
    wait_for(lambda: redis.llen("resque:queue:work") == 1)
    assert "is paused" not in worker.log
    ledger.tell("go on")
    wait_for(lambda: "is paused" in worker.log)
    assert redis.llen("resque:queue:work") == 1

    worker.signal(signal.SIGCONT)
    ledger.wait_for("2")


def test_an_ended_job_is_settled_although_no_other_may_begin(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--threads", "2", "--jobs-per-fork", "2")
    for number in (1, 2):
        enqueue("begin_and_wait_for", number, f"go on {number}")
    wait_for(lambda: len(ledger.lines()) == 2)

    ledger.tell("go on 1")

    wait_for(lambda: redis.get("resque:stat:processed") == b"1")
    ledger.tell("go on 2")


def test_a_job_that_is_to_be_alone_goes_to_a_worker_that_is_free(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", "--threads", "2")
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    free = jobworker("--queues", "work", "--threads", "2")
    free.wait_until_idle()

    for number in range(2, 7):
        enqueue("alone", number)

    wait_for(lambda: len(ledger.lines()) == 6, "all to be performed while the first one runs")
    ledger.tell("go on")


@pytest.mark.parametrize("option", ["--threads", "--async"])
def test_a_process_for_each_job_is_refused_beside_several_at_a_time(jobworker: Start, option: str) -> None:
    worker = jobworker("--queues", "work", option, "2", "--jobs-per-fork", "1")

    assert worker.wait() == 1
    assert f"--jobs-per-fork is 1, which forks a process for each job, and {option} is 2" in worker.log


def test_threads_are_refused_beside_an_event_loop(jobworker: Start) -> None:
    worker = jobworker("--queues", "work", "--threads", "3", "--async", "4")

    assert worker.wait() == 1
    assert "--threads is 3 and --async is 4" in worker.log
