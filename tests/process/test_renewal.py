"""HUP: new code is taken without a gap, and nothing that runs is interrupted."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.process.conftest import Jobworker, Ledger, enqueue, own_keys, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]
MODES = pytest.mark.parametrize("mode", [(), ("--jobs-per-fork", "1")], ids=["long-lived", "forking"])


def renewals(worker: Jobworker) -> int:
    return worker.log.count("starting anew")


@MODES
def test_a_running_job_ends_in_its_old_worker_and_new_ones_go_on_beside_it(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0", "--term-timeout", "0", *mode)
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    (old,) = worker.workers()

    worker.signal(signal.SIGHUP)
    enqueue("perform", 2)
    ledger.wait_for("2")
    assert old in worker.workers()
    assert renewals(worker) == 1
    ledger.tell("go on")

    ledger.wait_for("1")
    wait_for(lambda: old not in worker.workers())
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert redis.llen("resque:failed") == 0
    assert redis.get("resque:stat:processed") == b"2"
    assert own_keys(redis) == []
    assert "died" not in worker.log
