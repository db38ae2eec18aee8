"""Every key that jobqueue reads, and how something gets into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import redis as redis_client

from jobqueue.keys import Keys
from tests.garbage.corpus import TYPES

KEYS = Keys("resque:")
WORKER = "h:1:q"
VALUE = "tests.garbage.counted"
PRODUCER = "producer"
"""Who pushes next, where a test says so."""
DEAD = "dead"
"""A run whose worker died long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A key of one kind: the type of value that belongs there, and how a text is put in, into every part."""

    type: str
    key: str
    put: Callable[[redis_client.Redis, str, bytes], object]

    def take(self, redis: redis_client.Redis, text: bytes) -> None:
        """Put a text in."""
        self.put(redis, self.key, text)


def _string(key: str) -> Place:
    return Place(type="string", key=key, put=lambda redis, key, text: redis.set(key, text))


def _list(key: str) -> Place:
    return Place(type="list", key=key, put=lambda redis, key, text: redis.rpush(key, text))


def _set(key: str) -> Place:
    return Place(type="set", key=key, put=lambda redis, key, text: redis.sadd(key, text))


def _hash(key: str) -> Place:
    return Place(
        type="hash", key=key, put=lambda redis, key, text: redis.hset(key, mapping={text: text, "each": text})
    )


def _in_flight(redis: redis_client.Redis, key: str, text: bytes) -> None:
    redis.hset(key, mapping={"worker": WORKER, "1": text, "2": b"1:4:work" + text, text: "x"})


PLACES = {
    "queues": _set(KEYS.queues),
    "queue": _list(KEYS.queue("work")),
    "workers": _set(KEYS.workers),
    "worker": _string(KEYS.worker(WORKER)),
    "worker_started": _string(KEYS.worker_started(WORKER)),
    "heartbeats": Place(
        type="hash",
        key=KEYS.heartbeats,
        put=lambda redis, key, text: redis.hset(key, mapping={WORKER: text, text: text}),
    ),
    "pruning": _string(KEYS.pruning),
    "pause_all": _string(KEYS.pause_all),
    "stat": _string(KEYS.stat("processed")),
    "worker_stat": _string(KEYS.worker_stat("processed", WORKER)),
    "failed": _list(KEYS.failed),
    "runs": Place(
        type="zset", key=KEYS.runs, put=lambda redis, key, text: redis.zadd(key, {text: 1, DEAD: 1})
    ),
    "inflight": Place(type="hash", key=KEYS.inflight(DEAD), put=_in_flight),
    "wake_any": _list(KEYS.wake_any),
    "wake": _list(KEYS.wake("work")),
    "last_enqueued": _hash(KEYS.last_enqueued),
    "persistent_schedules": _hash(KEYS.persistent_schedules),
    "schedules_changed": _set(KEYS.schedules_changed),
    "fired": _hash(KEYS.fired),
    "paused_schedule": _set(KEYS.paused_schedule),
    "delayed_times": Place(
        type="zset",
        key=KEYS.delayed_times,
        put=lambda redis, key, text: redis.zadd(key, {text: 1, "1": 1}),
    ),
    "delayed": _list(KEYS.delayed(1)),
    "timestamps": _set(KEYS.timestamps("{}")),
    "master_lock": _string(KEYS.master_lock("")),
    "later": Place(
        type="zset",
        key=KEYS.later,
        put=lambda redis, key, text: redis.zadd(
            key, {text: 1, text + b" ": 1e300, b'{"queue":"work","attempts":[' + text + b"]}": 2}
        ),
    ),
    "wake_scheduler": _list(KEYS.wake_scheduler),
    "unblock": _list(KEYS.unblock("waiter")),
    "paused": _set(KEYS.paused),
    "unique": Place(
        type="hash",
        key=KEYS.unique,
        put=lambda redis, key, text: redis.hset(
            key, mapping={text: text, "a": text + b" 10:queue:work{}", "b": b"id 10:queue:work" + text}
        ),
    ),
    "unique_looked_after": _string(KEYS.unique_looked_after),
    "sent": _string(KEYS.sent(PRODUCER)),
    "value": Place(
        type="hash",
        key=KEYS.value(VALUE),
        put=lambda redis, key, text: redis.hset(
            key, mapping={"value": text, "at": text, "ticket": text, "done": text}
        ),
    ),
}
"""One of each kind, by the name that it has in ``Keys``."""

WRONG_TYPES = [(name, type) for name, place in PLACES.items() for type in TYPES if type != place.type]
"""Each key with each type that does not belong there."""
