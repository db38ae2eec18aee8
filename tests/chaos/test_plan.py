"""The seed, and nothing else, decides what the monkey does."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from tests.chaos.monkey import FAULTS
from tests.chaos.plan import DECKS_TO_REST, REST, plan


def told(seed: int, *, machine: int) -> list[tuple[float, str, float]]:
    """Return what a plan says when the machine lets the faults use up that much of their chance."""
    steps = []
    for step in islice(plan(seed, FAULTS), 200):
        steps.append((step.pause_seconds, step.fault, step.chance.random()))
        for _ in range(machine):
            step.chance.random()
    return steps


def test_a_seed_has_one_plan_whatever_the_machine_does():
    assert told(3, machine=0) == told(3, machine=7)


def test_another_seed_has_another_plan():
    assert told(3, machine=0) != told(4, machine=0)


def test_each_fault_comes_once_in_a_round_and_the_rest_after_some_rounds():
    length = DECKS_TO_REST * len(FAULTS) + 1
    faults = Counter(step.fault for step in islice(plan(3, FAULTS), length))

    assert faults == Counter(FAULTS * DECKS_TO_REST + [REST])
