"""Where a worker looks for jobs, and how it learns that it is time to."""

from __future__ import annotations

import logging
import time

from jobqueue.doorbells import Doorbells
from jobqueue.inflight import InFlight
from jobqueue.link import UNREACHABLE
from jobqueue.patterns import QueueList
from jobqueue.queueorder import QueueOrder
from jobqueue.store.delivery import Run

KNOWN_QUEUES_SECONDS = 1.0
"""How long a busy worker with patterns may overlook a new queue."""

_log = logging.getLogger("jobqueue")


class Lookout:
    """The queues of a worker that are known, and their doorbells."""

    def __init__(self, worker_id: str, queues: QueueList, in_flight: InFlight) -> None:
        self._worker_id = worker_id
        self._has_patterns = queues.has_patterns
        self._in_flight = in_flight
        self._order = QueueOrder(queues)
        self._bells = Doorbells()
        self._known_until = 0.0
        self._silent_bells = 0
        """How often in a row the doorbells could not be waited at."""
        self.woken_by = ""
        """The queue whose ring has ended the last wait, until somebody follows it."""

    def queues(self) -> list[str]:
        """Return the queues to look at now, in order."""
        if self._has_patterns and time.monotonic() >= self._known_until:
            self._known_until = time.monotonic() + KNOWN_QUEUES_SECONDS
            if self._order.learn(self._in_flight.ask(Run.known_queues)):
                self._in_flight.ask(Run.tell_of_new_queues)
        return self._order.draw()

    def follow(self) -> str:
        """Return the queue whose ring is to be followed now, once."""
        woken_by, self.woken_by = self.woken_by, ""
        return woken_by

    def wait(self, seconds: float, interrupted_by: int) -> bool:
        """Wait for a ring, for so long, until a file descriptor is readable; False if that cannot be done."""
        self._known_until = 0.0
        try:
            self.woken_by = self._bells.wait(
                self.queues(), seconds, interrupted_by, new_queues=self._has_patterns
            )
        except UNREACHABLE as error:
            self._note_silence(error)
            return False
        # Its queue is known; without one, a new queue may have rung
        self._known_until = time.monotonic() + KNOWN_QUEUES_SECONDS if self.woken_by else 0.0
        self._silent_bells = 0
        return True

    def leave(self) -> None:
        """Wait no more; wake another worker for the queue whose ring woke this one, and for new queues."""
        self._bells.close()
        if self._has_patterns:
            self._in_flight.ask(Run.tell_of_new_queues)
        if woken_by := self.follow():
            self._in_flight.claim([], 1, woken_by)

    def _note_silence(self, error: Exception) -> None:
        """Tell once that the doorbells cannot be heard; when Redis is away, the next claim tells that."""
        self._silent_bells += 1
        if self._silent_bells == 2:
            _log.warning("worker %s cannot wait for rings and looks every second: %s", self._worker_id, error)
