"""Sentinels: servers that watch a Redis and its replicas, and name the one that is the master now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

import redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, SSLConnection
from redis.exceptions import ConnectionError, RedisError, ResponseError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentinels:
    """Who knows which Redis is the master now, and how to log in there."""

    nodes: tuple[tuple[str, int], ...]
    """Host and port of each."""
    service: str
    """The Sentinels' name for the master and its replicas."""
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def listed(self) -> str:
        """The hosts and ports as they stand in a URL."""
        return ",".join(f"{bracketed(host)}:{port}" for host, port in self.nodes)

    def find_master(self, options: Mapping[str, Any]) -> tuple[str, int]:
        """Return host and port of the master, as the first Sentinel that knows a living one tells them.

        ``options`` are those of redis-py's client. Raises MasterNotFoundError, which tells what each said.
        """
        said = []
        for host, port in self.nodes:
            try:
                return self._ask(host, port, options)
            except RedisError as error:
                said.append(f"{bracketed(host)}:{port} says: {str(error).rstrip('.')}")
        raise MasterNotFoundError("; ".join(said))

    def _ask(self, host: str, port: int, options: Mapping[str, Any]) -> tuple[str, int]:
        login: dict[str, Any] = {"username": self.username or None, "password": self.password or None}
        # A connection for this one question: it is rare, and what a Sentinel said before counts for nothing
        with redis.Redis(host=host, port=port, retry=Retry(NoBackoff(), 0), **login, **options) as sentinel:
            masters = sentinel.sentinel_masters()
        found = masters.get(self.service)
        if found is None:
            raise ResponseError(f"no master is named {self.service!r} here, only {sorted(masters)}")
        if found["is_sdown"] or found["is_odown"] or not found["is_master"]:
            raise ResponseError(f"the master {self.service!r} is down")
        return str(found["ip"]), int(found["port"])


class MasterConnection(Connection):
    """A connection to whichever Redis the Sentinels name when it is made."""

    tls: ClassVar[bool] = False

    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        super().__init__(redis_connect_func=_begin_at_master, **options)  # type: ignore[no-untyped-call]
        self._sentinels = sentinels
        self._asking = {
            **{name: value for name, value in options.items() if name.startswith("ssl_")},
            "protocol": 2,
            "ssl": self.tls,
            "socket_connect_timeout": options.get("socket_connect_timeout"),
            "socket_timeout": options.get("socket_connect_timeout"),
        }

    def _connect(self) -> Any:
        self.host, self.port = self._sentinels.find_master(self._asking)
        return super()._connect()  # type: ignore[no-untyped-call]


class TLSMasterConnection(MasterConnection, SSLConnection):
    """The same with TLS, to the Sentinels as well."""

    tls = True


def _begin_at_master(connection: AbstractConnection) -> None:
    """Log in, and make sure that the server takes itself for a master: a Sentinel may know it too late."""
    connection.on_connect()
    connection.send_command("INFO", "replication")
    if b"role:master" not in connection.read_response():
        _leave(connection)


def _leave(connection: AbstractConnection) -> NoReturn:
    where = f"{connection.host}:{connection.port}"  # type: ignore[attr-defined]
    raise ConnectionError(f"the Sentinels name {where} the master, and it is a replica")


def bracketed(host: str) -> str:
    """Return a host as it stands before a port."""
    return f"[{host}]" if ":" in host else host
