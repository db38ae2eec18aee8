"""TTIN: the log tells what every worker is doing, even where no Python can run."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


@MODES
@pytest.mark.parametrize("target", ["supervisor", "worker", "group"])
def test_the_stacks_of_a_worker_stand_in_the_log(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, target: str, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("get_stuck", 1)
    ledger.wait_for("began 1")
    (pid,) = worker.workers()

    if target == "supervisor":
        worker.signal(signal.SIGTTIN)
    elif target == "worker":
        worker.signal_one(pid, signal.SIGTTIN)
    else:
        worker.signal_all(signal.SIGTTIN)

    wait_for(lambda: "in get_stuck" in worker.log)
    assert f":{pid}:work:\n" in worker.log
    assert "in _work" in worker.log  # the worker's own loop
    assert worker.workers() == [pid]


def test_each_worker_tells_for_itself(redis: redis_client.Redis, jobworker: Start, ledger: Ledger) -> None:
    worker = jobworker("--queues", "work", "--count", "2")
    for number in (1, 2):
        enqueue("begin_and_wait", number, 60)
        ledger.wait_for(f"began {number}")

    worker.signal(signal.SIGTTIN)

    for pid in worker.workers():
        wait_for(lambda: f":{pid}:work:\n" in worker.log)  # noqa: B023 - called at once
    wait_for(lambda: worker.log.count("in begin_and_wait") == 2)
