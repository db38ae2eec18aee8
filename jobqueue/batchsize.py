"""How many jobs a worker claims at once: what it will finish in a moment, by its recent measure."""

from __future__ import annotations

BATCH_SECONDS = 0.02
"""What a batch should take: the most work that the death of a machine repeats."""
MOST = 100
LONGEST_SECONDS = 1.0
"""Longer jobs count as this long, so that a worker soon takes batches again when short ones come."""


class BatchSize:
    """A running mean of the jobs' duration, and the batch size that follows from it."""

    def __init__(self) -> None:
        self._mean_seconds = BATCH_SECONDS / 4

    @property
    def most(self) -> int:
        """The number of jobs to claim."""
        return max(1, min(MOST, int(BATCH_SECONDS / self._mean_seconds)))

    def observe(self, jobs: int, seconds: float) -> None:
        """Learn that so many jobs took so long together."""
        if jobs:
            mean = min(max(seconds / jobs, 1e-6), LONGEST_SECONDS)
            self._mean_seconds = (self._mean_seconds + mean) / 2
