"""The Redis server that a site runs for itself while nobody has named another."""

from __future__ import annotations

from jobqueue.address import RedisAddress


def address() -> RedisAddress:
    """Return the address of this project's embedded server, which is started if need be."""
    raise NotImplementedError
