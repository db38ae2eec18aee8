"""Wait for work: an idle worker blocks on the doorbells of its queues, on a connection of its own."""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import cast

from redis.connection import AbstractConnection

from jobqueue.connection import keys, make_connection
from jobqueue.keys import to_text

GRACE_SECONDS = 2
"""How much longer than the block itself its answer may take."""


class Doorbells:
    """The doorbells of a worker's queues; a token that gets lost is no job and costs an interval at most."""

    def __init__(self) -> None:
        self._connection: AbstractConnection | None = None

    def wait(self, queues: Sequence[str], seconds: float, interrupted_by: int, *, new_queues: bool) -> str:
        """Wait for a ring and return its queue; "" after ``seconds``, for a new queue, or when interrupted.

        ``interrupted_by`` is a file descriptor that becomes readable. ``new_queues`` also waits for queues
        that do not exist yet. Raises redis-py's errors.
        """
        key = keys()
        bells = [*(key.wake(queue) for queue in queues), *([key.wake_any] if new_queues else [])]
        try:
            rung = self._ask(bells, seconds, interrupted_by)
        except BaseException:
            self.close()
            raise
        return rung.removeprefix(key.wake("")) if rung and rung != key.wake_any else ""

    def close(self) -> None:
        """Close the connection; the next wait makes another."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def _ask(self, bells: Sequence[str], seconds: float, interrupted_by: int) -> str:
        connection = self._connected(seconds)
        connection.send_command("BLPOP", *bells, seconds)
        waited_on = cast(socket.socket, connection._sock).fileno()
        ready, _, _ = select.select([waited_on, interrupted_by], [], [], seconds + GRACE_SECONDS)
        if waited_on not in ready:
            # The answer to come must not be taken for the next one
            self.close()
            return ""
        reply = connection.read_response()
        return to_text(reply[0]) if reply else ""

    def _connected(self, seconds: float) -> AbstractConnection:
        if self._connection is None:
            self._connection = make_connection(read_timeout_seconds=seconds + GRACE_SECONDS)
            self._connection.connect()
        return self._connection
