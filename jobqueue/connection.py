"""The way to Redis: which one, under which namespace, and connections to it that are safe after a fork.

redis-py's own retries are off everywhere, because they repeat claims and pushes; what is safe to send
again is known in ``store`` alone.
"""

from __future__ import annotations

import inspect
import os
import threading
from dataclasses import replace
from functools import cache
from typing import Any, Final, NamedTuple

import redis
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from jobqueue import embedded
from jobqueue.address import RedisAddress
from jobqueue.conf import settings
from jobqueue.exceptions import RedisFull, RedisUnreachable
from jobqueue.keys import Keys
from jobqueue.packing import Packer
from jobqueue.sentinels import MasterConnection, TLSMasterConnection
from jobqueue.trouble import is_closed, is_demoted, is_full, may_have_arrived, reason

DEFAULT_NAMESPACE = "resque"
NO_DRIVER_INFO: Final[dict[str, None]] = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(AbstractConnection.__init__).parameters
    else {"lib_name": None, "lib_version": None}
)
"""Leaves CLIENT SETINFO out, two round trips of every connect (redis-py renamed the option in 7.2)."""
NO_POOL_LIMIT = 2**31
DB_OUT_OF_RANGE = ("DB index is out of range", "invalid DB index")


class UnixConnection(UnixDomainSocketConnection):
    port = 0
    """redis-py 8 reads it while it reports an error, and would hide the error behind an AttributeError."""


class Target(NamedTuple):
    """All that a connection depends on; another target has connections of its own."""

    address: RedisAddress
    connect_timeout_seconds: float
    socket_timeout_seconds: float

    @property
    def connection_class(self) -> type[AbstractConnection]:
        if self.address.path:
            return UnixConnection
        if self.address.sentinels:
            return TLSMasterConnection if self.address.tls else MasterConnection
        return SSLConnection if self.address.tls else Connection

    def options(self) -> dict[str, Any]:
        """Return the arguments of the connection class."""
        return {
            **self.address.connection_kwargs(),
            **({"sentinels": self.address.sentinels} if self.address.sentinels else {}),
            **NO_DRIVER_INFO,
            **({} if self.address.path else {"socket_keepalive": True}),
            "socket_connect_timeout": self.connect_timeout_seconds,
            "socket_timeout": self.socket_timeout_seconds,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "encoding_errors": "surrogateescape",
            "command_packer": Packer(),
        }


class Clients:
    """The clients of one process, one for each target."""

    def __init__(self) -> None:
        # A signal handler that enqueues may come between
        self._lock = threading.RLock()
        self._clients: dict[Target, redis.Redis] = {}

    def get(self, target: Target) -> redis.Redis:
        """Return the client of a target, made now if there is none."""
        with self._lock:
            if target not in self._clients:
                pool = redis.ConnectionPool(
                    target.connection_class, max_connections=NO_POOL_LIMIT, **target.options()
                )
                self._clients[target] = redis.Redis(connection_pool=pool)
            return self._clients[target]

    def clear(self) -> None:
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            # Those in use are other threads', and end with the pool
            client.connection_pool.disconnect(inuse_connections=False)


_clients = Clients()


def address() -> RedisAddress:
    """Return where Redis is now, by settings, environment, or (with DEBUG) the embedded server.

    Raises InvalidRedisURL if it cannot be understood, ImproperlyConfigured if it is nowhere named.
    """
    if text := configured_url():
        return RedisAddress.parse(text)
    if django_settings.DEBUG:
        return embedded.address()
    raise ImproperlyConfigured(
        "No Redis is named: set the environment variable REDIS_URL (or the setting JOBQUEUE_REDIS_URL), "
        "for example redis://localhost:6379/0; an embedded Redis runs only with DEBUG = True."
    )


def configured_url() -> str | None:
    """Return the text that names this site's Redis; None if it is left to the embedded server."""
    return settings.redis_url or _provided_url() or os.environ.get("REDIS_URL") or None


def keys(at: RedisAddress | None = None) -> Keys:
    """Return the keys of this site's namespace; an empty one leaves a bare colon, as in Resque.

    Whoever has asked for the address may give it.
    """
    namespace = settings.namespace
    if namespace is None:
        namespace = (at or address()).namespace
    return _keys(DEFAULT_NAMESPACE if namespace is None else namespace)


@cache
def _keys(namespace: str) -> Keys:
    return Keys(f"{namespace}:")


def client() -> redis.Redis:
    """Return this process's client; threads share it. Keys and values are bytes."""
    return _clients.get(target())


def make_connection(*, read_timeout_seconds: float | None = None) -> AbstractConnection:
    """Return a connection of the caller's own, not yet connected, which may wait longer for answers."""
    wanted = target()
    if read_timeout_seconds is not None:
        wanted = wanted._replace(socket_timeout_seconds=read_timeout_seconds)
    return wanted.connection_class(**wanted.options())


def master() -> RedisAddress:
    """Return the address of the master that the Sentinels name now. Raises redis-py's errors."""
    found = make_connection()
    found.connect()
    found.disconnect()
    return replace(address(), host=found.host, port=found.port, sentinels=None)  # type: ignore[attr-defined]


def disconnect() -> None:
    """Close every connection of ``client``, as before a fork; the next use connects anew."""
    _clients.clear()


def target() -> Target:
    """Return what a new connection depends on, by the settings in force now."""
    return Target(address(), settings.connect_timeout_seconds, settings.socket_timeout_seconds)


class reaching:
    """Turn every way in which Redis cannot be reached into a RedisUnreachable of one sentence."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, redis.ConnectionError | redis.TimeoutError | redis.InvalidResponse):
            raise RedisUnreachable(explain(error), may_have_arrived=may_have_arrived(error)) from error
        if isinstance(error, redis.ResponseError):
            if is_full(error):
                raise RedisFull(explain(error), may_have_arrived=may_have_arrived(error)) from error
            if str(error) in DB_OUT_OF_RANGE or is_closed(error):
                raise RedisUnreachable(explain(error), may_have_arrived=may_have_arrived(error)) from error


def explain(error: redis.RedisError) -> str:
    """Return the sentence that tells a person why Redis cannot be reached."""
    where = f"Redis at {address().masked}"
    if isinstance(error, redis.BusyLoadingError):
        return f"{where} is still loading its data; try again in a moment."
    if is_demoted(error):
        return f"{where} is a replica, which takes no writes; its master is elsewhere since a failover."
    if is_full(error):
        return f"{where} has no memory left, so it takes in nothing new: {reason(error)}."
    if isinstance(error, redis.AuthenticationError):
        return f"{where} refuses the user or password of its address: {reason(error)}."
    if str(error) in DB_OUT_OF_RANGE:
        return f"{where} has no database {address().db}: {reason(error)}."
    if isinstance(error, redis.ResponseError):
        return f"{where} refuses: {reason(error)}."
    if isinstance(error, redis.InvalidResponse):
        return f"What answers at {address().masked} is no Redis: {reason(error)}. Is REDIS_URL right?"
    if isinstance(error, MasterNotFoundError):
        return f"{where} cannot be reached: no Sentinel names its master. {error}."
    return f"{where} cannot be reached: {reason(error)}. {_way_out()}"


def _way_out() -> str:
    if configured_url():
        return "Is it running, and is REDIS_URL right?"
    return "`manage.py jobredis start` starts it."


def _provided_url() -> str | None:
    """Return the value of the variable that REDIS_PROVIDER names, as hosting services set it."""
    # Looked for first, because a look for what is not there is cheap, and its reading is not
    name = "REDIS_PROVIDER" in os.environ and os.environ["REDIS_PROVIDER"]
    if not name:
        return None
    if "://" in name or "@" in name:
        raise ImproperlyConfigured(
            "REDIS_PROVIDER holds an address; it should hold the name of the variable that holds it, "
            "such as REDISCLOUD_URL. An address belongs in REDIS_URL."
        )
    if not os.environ.get(name):
        raise ImproperlyConfigured(
            f"REDIS_PROVIDER names the variable {name!r}, which is not set. Set it, or unset REDIS_PROVIDER."
        )
    return os.environ[name]


def _forget_after_fork() -> None:
    """Give a child clients of its own: it must neither share sockets nor wait for a lock held elsewhere."""
    global _clients
    _clients = Clients()


os.register_at_fork(after_in_child=_forget_after_fork)
