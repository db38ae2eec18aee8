"""Workers that age or grow leave, and others take their places."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.process.conftest import UNMEASURED, Jobworker, Ledger, enqueue, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


def test_processes_are_replaced_after_so_many_jobs(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--jobs-per-fork", "5")
    for number in range(20):
        enqueue("perform", number)

    wait_for(lambda: len(ledger.lines()) == 20)

    wait_for(lambda: worker.log.count("started") >= 4)
    assert "died" not in worker.log


def test_burst_goes_on_while_processes_are_replaced(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    for number in range(20):
        enqueue("perform", number)

    worker = jobworker("--queues", "work", "--burst", "--jobs-per-fork", "5")

    assert worker.wait() == 0
    assert sorted(map(int, ledger.lines())) == list(range(20))
    assert "died" not in worker.log


def test_processes_that_have_grown_are_replaced(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--max-memory", "250")
    for _ in range(4):
        enqueue("grow", 150)

    wait_for(lambda: len(ledger.lines()) == 4)

    pids = [line.removeprefix("grew ") for line in ledger.lines()]
    assert len(set(pids)) > 1
    wait_for(lambda: worker.log.count("has grown to") >= 2)
    assert "died" not in worker.log


@pytest.mark.parametrize("option", ["--threads", "--async"])
def test_one_that_performs_several_at_a_time_is_replaced_as_soon_as_it_has_grown(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, option: str
) -> None:
    worker = jobworker("--queues", "work", "--max-memory", "250", option, "2")
    enqueue("grow", 300, 0.2)

    wait_for(lambda: worker.log.count("started") == 2, "another process, although there are no more jobs")
    assert "died" not in worker.log


def test_no_job_waits_while_one_that_performs_several_at_a_time_is_replaced(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--threads", "2", "--jobs-per-fork", "5", **UNMEASURED)
    worker.wait_until_idle()
    began = time.monotonic()
    for number in range(100):
        enqueue("perform", number)

    wait_for(lambda: len(ledger.lines()) == 100)

    assert time.monotonic() - began < 20, "a second for each of twenty processes"
    assert worker.log.count("started") >= 20


def test_a_process_that_stays_small_is_kept(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", MAX_MEMORY="1000")
    for _ in range(2):
        enqueue("grow", 10)

    wait_for(lambda: len(ledger.lines()) == 2)

    assert len(set(ledger.lines())) == 1
    assert worker.log.count("started") == 1
