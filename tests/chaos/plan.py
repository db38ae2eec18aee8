"""What the monkey will do, and in which order: the same for the same seed, on any machine."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

PAUSE_SECONDS = (0.05, 0.5)
REST = "rest"
DECKS_TO_REST = 2
"""After how many rounds of all faults the site is left in peace for a while."""


class Step(NamedTuple):
    """Wait, then do something."""

    pause_seconds: float
    fault: str
    chance: random.Random
    """Decides on the details. What it chooses among, processes for example, is the machine's."""


def plan(seed: int, faults: Sequence[str]) -> Iterator[Step]:
    """Yield steps without end: each fault as often as any other, in an order of chance."""
    order = random.Random(f"{seed}")
    numbers = itertools.count()
    for deck in itertools.count(1):
        rest = [REST] if deck % DECKS_TO_REST == 0 else []
        for fault in [*order.sample(faults, len(faults)), *rest]:
            # Chance of its own for each step: the machine decides how much of it a step uses up
            chance = random.Random(f"{seed} {next(numbers)}")
            yield Step(chance.uniform(*PAUSE_SECONDS), fault, chance)
