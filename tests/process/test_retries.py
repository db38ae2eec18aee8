"""Jobs that are tried again, in workers of every kind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest
import redis as redis_client

from jobqueue import delayed
from jobqueue.failure import Failure
from jobqueue.link import Link
from jobqueue.payload import Job, decode
from jobqueue.store.promotion import now_ms, promote
from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, own_keys, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]
Mode = tuple[str, ...]


@pytest.fixture
def due(redis_server: str) -> Iterator[Callable[[], None]]:
    """Yield a function that brings what is due to its queues, as schedulers do."""
    link = Link()

    def bring() -> None:
        promote(link, now_ms(link))

    yield bring
    link.close()


def failures(redis: redis_client.Redis) -> list[Failure]:
    return [Failure.parse(entry) for entry in redis.lrange("resque:failed", 0, -1)]


def waiting(redis: redis_client.Redis) -> list[Job]:
    """Return the jobs that wait for their moments."""
    return [decode(delayed.read(member).payload) for member in redis.zrange("resque:later", 0, -1)]


def wait_while_due(due: Callable[[], None], condition: Callable[[], object]) -> None:
    def look() -> object:
        due()
        return condition()

    wait_for(look)


def counters(redis: redis_client.Redis) -> list[bytes | None]:
    return redis.mget("resque:stat:processed", "resque:stat:failed")


@MODES
@pytest.mark.parametrize("name", ["try_thrice", "atry_thrice", "AsksAgain"])
def test_a_job_is_tried_until_it_is_done(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, due, name: str, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue(name, 1, 2)

    wait_while_due(due, lambda: "1" in ledger.lines())

    assert ledger.lines() == ["began 1", "began 1", "began 1", "1"]
    wait_for(lambda: counters(redis) == [b"3", None])
    assert (failures(redis), waiting(redis)) == ([], [])


def test_the_scheduler_beside_the_workers_brings_a_job_to_its_next_attempt(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "work", scheduler=True)
    enqueue("try_thrice", 1, 2)

    ledger.wait_for("1")

    wait_for(lambda: counters(redis) == [b"3", None])
    assert waiting(redis) == []


@MODES
def test_a_job_that_has_no_attempt_left_fails_and_tells_of_each(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, due, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("try_thrice", 1, 9)

    wait_while_due(due, lambda: failures(redis))

    (failure,) = failures(redis)
    assert failure.job and failure.job.attempt == 3
    assert [each.error for each in failure.job.attempts] == ["attempt of 1 fails"] * 2
    assert (failure.error, failure.queue) == ("attempt of 1 fails", "work")
    wait_for(lambda: counters(redis) == [b"3", b"1"])


@pytest.mark.parametrize("way", ["sleep", "compute_in_c"])
@pytest.mark.parametrize(
    "mode", [(), ("--jobs-per-fork", "1"), ("--threads", "2")], ids=["long-lived", "forking", "threads"]
)
def test_a_job_that_takes_too_long_is_tried_again_whether_it_heeds_that_or_not(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, due, way: str, mode: Mode
) -> None:
    if way == "sleep" and "--threads" in mode:
        way = "spin"
    jobworker("--queues", "work", *mode, TEST_TIMEOUT_GRACE="0.5")
    enqueue("try_overrun_twice", 1, way)

    wait_while_due(due, lambda: failures(redis))

    (failure,) = failures(redis)
    assert failure.job and [each.exception for each in failure.job.attempts] == [failure.exception]
    assert failure.exception == "jobqueue.exceptions.JobTimeout"
    assert ledger.lines() == ["began 1", "began 1"]


@MODES
@pytest.mark.parametrize(
    ("name", "args", "kind"),
    [
        ("try_clean_up_later", [0], "TermException"),
        ("try_clean_up_later", [60], "DirtyExit"),
        ("try_stuck_later", [], "DirtyExit"),
    ],
)
def test_with_term_child_a_job_that_is_ended_by_a_stop_is_tried_again(
    redis: redis_client.Redis,
    jobworker: Start,
    ledger: Ledger,
    name: str,
    args: list[int],
    kind: str,
    mode: Mode,
) -> None:
    worker = jobworker("--queues", "work", *mode, TERM_CHILD="1", RESQUE_TERM_TIMEOUT="0.3")
    enqueue(name, 1, *args)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    ((failed,),) = (job.attempts for job in waiting(redis))
    assert failed.exception == f"jobqueue.exceptions.{kind}"
    assert failures(redis) == []
    assert set(own_keys(redis)) <= {"resque:later"}


@MODES
def test_a_job_that_a_person_ends_is_not_tried_again(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("try_clean_up_later", 1, 0)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGUSR1)

    wait_for(lambda: failures(redis))
    assert waiting(redis) == []


@MODES
def test_crashes_are_counted_apart_from_attempts(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("try_crash_later", 1, 2)

    (job,) = wait_for(lambda: waiting(redis))

    assert (job.crashes, job.attempt) == (2, 2)
    assert ledger.lines() == ["began 1"] * 3
    assert failures(redis) == []
