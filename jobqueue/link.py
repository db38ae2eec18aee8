"""A connection of one's own, for processes that run several scripts in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError

from jobqueue.connection import make_connection
from jobqueue.packing import packed
from jobqueue.scripts import Script
from jobqueue.trouble import is_demoted


class Call(NamedTuple):
    """One run of a script."""

    script: Script
    keys: Sequence[str]
    args: Sequence[Any]


class Link:
    """One connection to Redis, made anew after each fault; used by one thread at a time.

    ``connects`` counts the connections made so far: whoever sees it change must assume that
    answers were lost, or that Redis forgot its last moments.
    """

    def __init__(self) -> None:
        self._connection: AbstractConnection | None = None
        self.connects = 0

    def command(self, *parts: Any) -> Any:
        """Run one command. Raises redis-py's errors."""
        reply = self.exchange(parts)[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def now(self) -> float:
        """Return the time by Redis's clock, in seconds since the epoch. Raises redis-py's errors."""
        seconds, microseconds = self.command("TIME")
        return int(seconds) + int(microseconds) / 1e6

    def run(self, *calls: Call) -> list[Any]:
        """Run scripts in one round trip, in order; two if Redis has to be told their texts again.

        Raises the first error of them all, when each has been answered.
        """
        replies = self.exchange(*[call.script.by_sha(call.keys, call.args) for call in calls])
        for place, call in enumerate(calls):
            if isinstance(replies[place], NoScriptError):
                replies[place] = self.exchange(call.script.by_text(call.keys, call.args))[0]
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def connect(self) -> AbstractConnection:
        """Return the connection, made now if there is none."""
        if self._connection is None:
            connection = make_connection()
            connection.connect()
            self._connection = connection
            self.connects += 1
        return self._connection

    def close(self) -> None:
        """Close the connection; the next use makes another."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def close_if_ended(self) -> None:
        """Close a connection that the server has closed meanwhile: what is sent on it may be lost, or not."""
        try:
            has_ended = self._connection is not None and self._connection.can_read(0)
        except UNREACHABLE:
            has_ended = True
        if has_ended:
            self.close()

    def exchange(self, *commands: Sequence[Any]) -> list[Any]:
        """Send commands in one round trip and return their replies, errors of commands among them."""
        try:
            connection = self.connect()
            connection.send_packed_command([b"".join(map(packed, commands))])
            replies = [_reply(connection) for _ in commands]
        except BaseException:
            # Half an answer may still be under way: what comes next must not be taken for it
            self.close()
            raise
        if any(isinstance(reply, Exception) and is_demoted(reply) for reply in replies):
            self.close()
        return replies


def _reply(connection: AbstractConnection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


UNREACHABLE = (RedisError, OSError)
"""What says that Redis cannot be asked now; all of redis-py's errors, since each may pass by itself."""
