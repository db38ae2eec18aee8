"""Wait for what is due, on a connection of its own where Redis tells of something that is due earlier."""

from __future__ import annotations

import socket
import time
from typing import cast

from redis.connection import AbstractConnection

from jobqueue.attention import Attention
from jobqueue.connection import keys, make_connection
from jobqueue.link import UNREACHABLE, Call, Link
from jobqueue.readiness import readable
from jobqueue.scripts import load

BLOCK_SECONDS = 60
"""How long Redis is asked to wait; the answer of one wait may come in a later one."""
GRACE_SECONDS = 2
"""How much longer the answer may take, before nobody is at the other end."""


class SchedulerBell:
    """The schedulers' doorbell; a ring that gets lost costs an interval at most."""

    def __init__(self) -> None:
        self._connection: AbstractConnection | None = None
        self._answer_by = 0.0
        """Until when Redis has to answer; 0 if nothing was asked. In seconds of ``time.monotonic``."""

    def wait(self, seconds: float, attention: Attention) -> None:
        """Wait for a ring, a signal, or the end of the time. Raises redis-py's errors."""
        try:
            connection = self._asked()
            readable(max(0.0, seconds), attention.fd, cast(socket.socket, connection._sock).fileno())
            attention.drain()
            self._take()
        except BaseException:
            self._disconnect()
            raise

    def close(self) -> None:
        """Close the connection; what has rung on it meanwhile rings again, for another scheduler."""
        try:
            if self._take():
                link = Link()
                link.run(Call(load("ring"), [keys().wake_scheduler], []))
                link.close()
        except UNREACHABLE:
            pass
        self._disconnect()

    def _asked(self) -> AbstractConnection:
        if self._answer_by and time.monotonic() > self._answer_by:
            self._disconnect()
        if self._connection is None:
            self._connection = make_connection()
            self._connection.connect()
        if not self._answer_by:
            self._connection.send_command("BLPOP", keys().wake_scheduler, BLOCK_SECONDS)
            self._answer_by = time.monotonic() + BLOCK_SECONDS + GRACE_SECONDS
        return self._connection

    def _take(self) -> bool:
        """Take the answer, if there is one; tell whether it was a ring."""
        if self._connection is None or not self._connection.can_read(0):
            return False
        self._answer_by = 0.0
        return self._connection.read_response() is not None

    def _disconnect(self) -> None:
        self._answer_by = 0.0
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None
