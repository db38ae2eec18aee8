"""A real supervisor with real workers, and every piece of garbage in every key."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
import redis as redis_client

from tests.garbage.corpus import HUGE, RUBYS, TEXTS
from tests.garbage.places import KEYS, PLACES
from tests.process.conftest import Jobworker, Ledger, enqueue, jobworker, ledger, wait_for

pytestmark = pytest.mark.process
__all__ = ["jobworker", "ledger"]


def test_workers_and_supervisor_live_on_whatever_stands_everywhere(
    redis: redis_client.Redis, jobworker: Callable[..., Jobworker], ledger: Ledger
) -> None:
    texts = [*TEXTS.values(), *RUBYS.values()]
    for text in texts:
        for name, place in PLACES.items():
            if name != "queue":
                place.take(redis, text)
    redis.delete(KEYS.pause_all)
    redis.delete(KEYS.failed)
    texts.append(HUGE["one odd byte"]())
    redis.rpush(KEYS.queue("work"), *texts)
    enqueue("perform", 1)

    worker = jobworker(
        "--queues", "work,*", "--count", "2", "--interval", "0.1", TEST_DEAD_AFTER="0.5", TEST_HEARTBEAT="0.1"
    )
    ledger.wait_for("1")
    wait_for(lambda: redis.llen(KEYS.failed) >= len(texts))
    wait_for(lambda: "cannot be recovered" in worker.log)
    enqueue("perform", 2)
    ledger.wait_for("2")
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert "died" not in worker.log
    assert redis.llen(KEYS.failed) == len(texts)
    for entry in redis.lrange(KEYS.failed, 0, -1):
        assert json.loads(entry)["exception"]
