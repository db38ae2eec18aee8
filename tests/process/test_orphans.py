"""The supervisor is killed: its workers end by themselves, before others take them for dead."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, members, own_keys, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]

QUICK = {"TEST_HEARTBEAT": "0.5", "TEST_DEAD_AFTER": "4"}
"""With a term timeout of 0.5 s an orphan's job may go on for 2 s."""


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
    worker = jobworker("--queues", "work", "--term-timeout", "0.5", *mode, **QUICK, **environ)
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
