"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Iterator

RETRY_FIRST_SECONDS = 30.0
RETRY_LONGEST_SECONDS = 6 * 3600.0


def retry_pause(attempt: int) -> float:
    """Return the pause in seconds after a job's failed attempt of this number, the first being 1.

    ``min(30 × 2^(attempt − 1), 6 h) × chance``, where chance lies between 0.5 and 1: jobs that failed
    together do not all come back at once.
    """
    # Beyond 2^10 the longest one is reached; a job may be tried more often than a float can be doubled
    pause = RETRY_FIRST_SECONDS * 2.0 ** min(attempt - 1, 10)
    return min(pause, RETRY_LONGEST_SECONDS) * random.uniform(0.5, 1.0)


def pauses(first: float = 0.05, longest: float = 5.0) -> Iterator[float]:
    """Yield pauses in seconds, without end: each about twice the one before, up to ``longest``.

    Up to half of each is left out by chance, so that many processes that lost
    the same Redis do not all come back to it at the same instant.
    """
    pause = min(first, longest)
    while True:
        yield pause * random.uniform(0.5, 1.0)
        pause = min(pause * 2, longest)
