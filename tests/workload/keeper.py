"""The ledger, and the Redis that keeps it."""

from __future__ import annotations

import os

import redis

from jobqueue.connection import client
from tests.workload import LEDGER

_url = os.environ.get("TEST_LEDGER")
_own = redis.Redis.from_url(_url, protocol=2) if _url else None


def keeper() -> redis.Redis:
    """Return the Redis of TEST_LEDGER, since that of the jobs may be killed and forget; else that one."""
    return _own or client()


def note(text: str) -> None:
    """Write a line into the ledger."""
    keeper().rpush(LEDGER, text)


def ledger() -> list[str]:
    return [line.decode() for line in keeper().lrange(LEDGER, 0, -1)]


def beginnings(number: int) -> int:
    """Return how often a job that tells its process has begun."""
    return sum(line.startswith(f"began {number} in ") for line in ledger())
