"""Which of many queues a worker looks at: all of them, or for a moment only the one that is full of jobs."""

from __future__ import annotations

import time
from collections.abc import Callable

FEW = 20
"""So many queues cost next to nothing to look at, and are all looked at each time."""
WHOLE_LOOK_SECONDS = 0.1
"""How long jobs of a queue that goes before may have to wait for the next look at all queues."""


class Focus:
    """The queue that gave as many jobs as were asked for, and probably has more, or whose bell has rung."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._queue = ""
        self._whole_look_at = 0.0

    def claim(self, queues: list[str], claim: Callable[[list[str]], bool]) -> bool:
        """Claim from the full queue, else from all of them; tell whether there was anything."""
        some = self._narrow(queues)
        if claim(some):
            return True
        self._queue = ""
        return some is not queues and claim(queues)

    def note(self, queue: str) -> None:
        """Note which queue is full of jobs; "" if none is known to be."""
        self._queue = queue

    def hear(self, queue: str) -> None:
        """Look next at the queue whose bell has rung: no bell of those before it had."""
        self._queue = queue
        self._whole_look_at = self._clock() + WHOLE_LOOK_SECONDS

    def _narrow(self, queues: list[str]) -> list[str]:
        """Return the queues to look at now; the list itself for a look at all of them."""
        now = self._clock()
        if self._queue and len(queues) > FEW and now < self._whole_look_at:
            return [self._queue]
        self._whole_look_at = now + WHOLE_LOOK_SECONDS
        return queues
