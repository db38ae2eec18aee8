"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Iterator


def pauses(first: float = 0.05, longest: float = 5.0) -> Iterator[float]:
    """Yield pauses in seconds, without end: each about twice the one before, up to ``longest``.

    Up to half of each is left out by chance, so that many processes that lost
    the same Redis do not all come back to it at the same instant.
    """
    pause = min(first, longest)
    while True:
        yield pause * random.uniform(0.5, 1.0)
        pause = min(pause * 2, longest)
