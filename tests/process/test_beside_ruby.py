"""Workers of Ruby that start beside ours, and take the dead ones for theirs."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, own_keys, wait_for
from tests.rubypruner import prune

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]

QUICK = {"TEST_DEAD_AFTER": "1.5", "TEST_HEARTBEAT": "0.3"}


@MODES
def test_a_job_that_rubys_pruner_has_failed_fails_once(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    killed = jobworker("--queues", "work", *mode)
    enqueue("begin_and_wait", 1, 60)
    ledger.wait_for("began 1")
    wait_for(lambda: redis.keys("resque:worker:*:work"))
    (worker_id,) = redis.smembers("resque:workers")
    enqueue("perform", 2)
    killed.signal_all(signal.SIGKILL)
    killed.process.wait()

    prune(redis, worker_id.decode())
    rescuer = jobworker("--queues", "work", *mode, **QUICK)
    wait_for(lambda: "recovered" in rescuer.log)
    ledger.wait_for("2")
    rescuer.signal(signal.SIGTERM)
    assert rescuer.wait() == 0

    (entry,) = map(json.loads, redis.lrange("resque:failed", 0, -1))
    assert entry["exception"] == "Resque::DirtyExit"
    assert entry["payload"]["args"] == [1, 60]
    assert ledger.lines() == ["began 1", "2"]
    assert own_keys(redis) == []
