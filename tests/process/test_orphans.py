"""The supervisor is killed: its workers end by themselves, before others take them for dead."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.process.conftest import (
    MODES,
    Jobworker,
    Ledger,
    enqueue,
    members,
    own_keys,
    state,
    wait_for,
)

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]

QUICK = {"TEST_HEARTBEAT": "0.5", "TEST_DEAD_AFTER": "6"}
"""With a term timeout of 1.5 s an orphan's job may go on for 3 s."""


@MODES
def test_a_short_job_of_an_orphan_ends_well(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    enqueue("perform", 2)

    worker.signal(signal.SIGKILL)
    worker.wait()
    ledger.tell("go on")

    wait_for(lambda: not members(worker.pid))
    assert ledger.lines() == ["began 1", "1"]
    assert redis.llen("resque:failed") == 0
    assert own_keys(redis) == ["resque:queue:work"]


@MODES
@pytest.mark.parametrize("environ", [{}, {"TERM_CHILD": "1"}, {"GRACEFUL_TERM": "1"}])
def test_a_long_job_of_an_orphan_is_ended_and_put_back(
    redis: redis_client.Redis,
    jobworker: Start,
    ledger: Ledger,
    environ: dict[str, str],
    mode: tuple[str, ...],
) -> None:
    worker = jobworker("--queues", "work", "--term-timeout", "1.5", *mode, **QUICK, **environ)
    enqueue("clean_up", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGKILL)

    ledger.wait_for("cleaned up 1 after SIGTERM")
    wait_for(lambda: not members(worker.pid))
    assert redis.llen("resque:queue:work") == 1
    assert redis.llen("resque:failed") == 0
    assert own_keys(redis) == ["resque:queue:work"]


@MODES
def test_idle_orphans_leave_at_once(
    redis: redis_client.Redis, jobworker: Start, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--count", "2", "--interval", "60", *mode)
    wait_for(lambda: len(worker.workers()) == 2 and redis.scard("resque:workers") == 2)

    worker.signal(signal.SIGKILL)

    wait_for(lambda: not members(worker.pid))
    assert own_keys(redis) == []


def test_an_orphan_that_is_stuck_in_c_is_killed_before_others_take_it_for_dead(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--count", "2", "--term-timeout", "1.5", **QUICK)
    enqueue("get_stuck", 1)
    ledger.wait_for("began 1")
    workers = worker.workers()

    worker.signal(signal.SIGKILL)

    wait_for(lambda: not members(worker.pid))
    killed = re.findall(r"worker process (\d+) did not end after its supervisor had died: killed", worker.log)
    assert len(killed) == 1 and int(killed[0]) in workers


def test_orphans_that_leave_are_not_waited_for(jobworker: Start) -> None:
    worker = jobworker("--queues", "work", "--count", "2")
    worker.wait_until_idle(2)
    [guardian] = worker.guardians()

    worker.signal(signal.SIGKILL)

    wait_for(lambda: not members(worker.pid), seconds=20)
    assert "did not end after" not in worker.log


def test_a_guardian_that_died_is_replaced_and_knows_the_workers(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--term-timeout", "1.5", **QUICK)
    worker.wait_until_idle()
    [first] = worker.guardians()
    worker.signal_one(first, signal.SIGKILL)
    wait_for(lambda: len(worker.guardians()) == 1 and worker.guardians() != [first])
    wait_for(lambda: f"the guardian of the workers, process {first}, has died" in worker.log)
    enqueue("get_stuck", 1)
    ledger.wait_for("began 1")

    worker.signal(signal.SIGKILL)

    wait_for(lambda: not members(worker.pid))


def test_new_code_brings_a_guardian_of_its_own_that_knows_the_old_workers(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--term-timeout", "1.5", **QUICK)
    enqueue("get_stuck", 1)
    ledger.wait_for("began 1")
    [stuck], [first] = worker.workers(), worker.guardians()

    worker.signal(signal.SIGHUP)
    wait_for(lambda: state(first) == "" and len(worker.guardians()) == 1)
    wait_for(lambda: len(worker.workers()) == 2)
    assert stuck in worker.workers()
    worker.signal(signal.SIGKILL)

    wait_for(lambda: not members(worker.pid))
    assert f"worker process {stuck} did not end" in worker.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stop_of_the_whole_group_leaves_no_guardian(jobworker: Start, number: int) -> None:
    worker = jobworker("--queues", "work")
    worker.wait_until_idle()

    worker.signal_all(number)

    assert worker.wait() == 0
    assert members(worker.pid) == []
    assert "guardian" not in worker.log


def test_a_guardian_that_is_stopped_holds_no_stop_up(jobworker: Start) -> None:
    worker = jobworker("--queues", "work")
    worker.wait_until_idle()
    [guardian] = worker.guardians()
    worker.signal_one(guardian, signal.SIGSTOP)

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert members(worker.pid) == []
