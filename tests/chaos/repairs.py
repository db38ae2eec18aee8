"""What was broken for a while only, and when it is to be whole again."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable

import redis

from jobqueue.exceptions import JobQueueError

AGAIN_SECONDS = 0.2
Repair = Callable[[], object]


class Repairs:
    """Repairs to be made, by their time."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Repair]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, repair: Repair) -> None:
        """Repair then, and again and again as long as Redis is away."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), repair))

    def make_due(self) -> None:
        """Make those whose time has come."""
        self._make(time.monotonic())

    def make_all(self) -> None:
        """Make all of them, those that bring Redis back first of all."""
        while self._due:
            self._make(float("inf"))

    def _make(self, until: float) -> None:
        now = []
        while self._due and self._due[0][0] <= until:
            now.append(heapq.heappop(self._due)[2])
        for repair in now:
            try:
                repair()
            except (redis.RedisError, JobQueueError):
                self.after(AGAIN_SECONDS, repair)
