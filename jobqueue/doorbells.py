"""Wait for work: an idle worker blocks on the doorbells of its queues, on a connection of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import cast

from redis.connection import AbstractConnection

from jobqueue.connection import keys, make_connection
from jobqueue.keys import to_text
from jobqueue.link import Call, Link
from jobqueue.readiness import readable
from jobqueue.scripts import load

GRACE_SECONDS = 2
"""How much longer than the block itself its answer may take."""


class Doorbells:
    """The doorbells of a worker's queues; a token that gets lost is no job and costs an interval at most."""

    def __init__(self) -> None:
        self._connection: AbstractConnection | None = None
        self._name = os.urandom(9).hex()

    def wait(self, queues: Sequence[str], seconds: float, interrupted_by: int, *, new_queues: bool) -> str:
        """Wait for a ring and return its queue; "" after ``seconds``, for a new queue, or when interrupted.

        ``interrupted_by`` is a file descriptor that becomes readable. ``new_queues`` also waits for queues
        that do not exist yet. A ring that comes together with the interruption is told: whoever does not
        follow it has to pass it on. Raises redis-py's errors.
        """
        key = keys()
        bells = [*(key.wake(queue) for queue in queues), *([key.wake_any] if new_queues else [])]
        bells.append(key.unblock(self._name))
        try:
            rung = self._ask(bells, seconds, interrupted_by)
        except BaseException:
            self.close()
            raise
        return rung.removeprefix(key.wake("")) if rung not in ("", key.wake_any, bells[-1]) else ""

    def close(self) -> None:
        """Close the connection; the next wait makes another."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def _ask(self, bells: Sequence[str], seconds: float, interrupted_by: int) -> str:
        connection = self._connected(seconds)
        connection.send_command("BLPOP", *bells, seconds)
        waited_on = cast(socket.socket, connection._sock).fileno()
        ready = readable(seconds + GRACE_SECONDS, waited_on, interrupted_by)
        if not ready:
            # The answer to come must not be taken for the next one
            self.close()
            return ""
        if waited_on not in ready:
            self._unblock(bells[-1])
        reply = connection.read_response()
        return to_text(reply[0]) if reply else ""

    def _unblock(self, bell: str) -> None:
        """Have Redis answer now: with a bell of this worker alone, or with one that was rung before.

        To close the connection instead would lose a ring that Redis has just sent to it.
        """
        link = Link()
        try:
            link.run(Call(load("ring"), [bell], []))
            link.command("EXPIRE", bell, 1)
        finally:
            link.close()

    def _connected(self, seconds: float) -> AbstractConnection:
        if self._connection is None:
            self._connection = make_connection(read_timeout_seconds=seconds + GRACE_SECONDS)
            self._connection.connect()
        return self._connection
