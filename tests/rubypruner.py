"""What a worker of Ruby does at its start to those that it takes for dead, command by command."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from jobqueue import clock
from jobqueue.keys import Keys

KEYS = Keys("resque:")
STEPS = 4
"""After the lock: it has looked, has read what the worker does, has written the failure, has unregistered."""


def pruning(redis: Any, worker_id: str, pruner: str = "ruby:1:work") -> Iterator[str]:
    """Prune one worker as if its process were gone; stop after each command that others could come after."""
    if not redis.set(KEYS.pruning, pruner, ex=60, nx=True):
        return
    registered = redis.smembers(KEYS.workers)
    yield "looked"
    if worker_id.encode() not in registered:
        return
    shown = redis.get(KEYS.worker(worker_id))
    yield "read"
    if shown is not None:
        redis.rpush(KEYS.failed, _entry(json.loads(shown), worker_id))
    yield "failed"
    with redis.pipeline(transaction=False) as pipe:
        pipe.srem(KEYS.workers, worker_id)
        pipe.delete(KEYS.worker(worker_id))
        pipe.delete(KEYS.worker_started(worker_id))
        pipe.hdel(KEYS.heartbeats, worker_id)
        pipe.delete(KEYS.worker_stat("processed", worker_id))
        pipe.delete(KEYS.worker_stat("failed", worker_id))
        pipe.execute()
    yield "unregistered"


def prune(redis: Any, worker_id: str) -> None:
    """Prune one worker without a pause."""
    for _ in pruning(redis, worker_id):
        pass


def _entry(shown: dict[str, Any], worker_id: str) -> str:
    fields = {
        "failed_at": clock.failed_at(time.time()),
        "payload": shown["payload"],
        "exception": "Resque::DirtyExit",
        "error": "Job still being processed",
        "backtrace": [],
        "worker": worker_id,
        "queue": shown["queue"],
    }
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
