"""The Redis that keeps the ledger."""

from __future__ import annotations

import os

import redis

from jobqueue.connection import client

_url = os.environ.get("TEST_LEDGER")
_own = redis.Redis.from_url(_url, protocol=2) if _url else None


def keeper() -> redis.Redis:
    """Return the Redis of TEST_LEDGER, since that of the jobs may be killed and forget; else that one."""
    return _own or client()
