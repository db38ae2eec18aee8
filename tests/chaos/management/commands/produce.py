"""A process that enqueues jobs of every kind until it is killed."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandParser

from jobqueue.connection import client, keys
from jobqueue.exceptions import RedisUnreachable
from tests.chaos import enqueueing, jobs

BACKLOG = 100
"""With so many jobs waiting, a producer waits too: each is to be performed while there is chaos."""


class Command(BaseCommand):
    help = "Enqueue jobs without end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="How its jobs' names begin; no two processes may share it.")
        parser.add_argument("--seed", default="1", help="Which jobs, and in which order.")

    def handle(self, *args: Any, name: str, seed: str, **options: Any) -> None:
        chance = random.Random(f"{seed} {name}")
        for number in itertools.count():
            try:
                enqueue(chance, f"{name}-{number}")
                while waiting() > BACKLOG:
                    time.sleep(0.05)
            except RedisUnreachable:
                # Not acknowledged, so nobody may rely on it; the next job has a name of its own
                time.sleep(0.05)


def enqueue(chance: random.Random, name: str) -> None:
    """Enqueue one job of some kind, or some at once."""
    if chance.random() < 0.02:
        enqueueing.enqueue_many(
            jobs.work, [(f"{name}-{number}", 0) for number in range(chance.randint(2, 30))]
        )
    elif chance.random() < 0.05:
        enqueue_unique(chance, name)
    else:
        definition, *arguments = choose(chance)
        if chance.random() < 0.1:
            enqueueing.delay(definition, round(chance.uniform(0, 4), 3), name, *arguments)
        else:
            enqueueing.enqueue(definition, name, *arguments)


def enqueue_unique(chance: random.Random, name: str) -> None:
    """Enqueue one job of those that are equal to some others, or call one some times."""
    how = chance.randrange(5)
    if how == 0:
        pauses = (round(chance.uniform(0, 0.15), 3) for _ in range(chance.randint(1, 4)))
        enqueueing.call_often(jobs.last_call, name, [0, *pauses])
    else:
        definition = chance.choice([jobs.once, jobs.one_at_a_time])
        enqueueing.enqueue_once(
            definition, f"{name}~{chance.randint(1, 3)}", round(chance.uniform(0, 0.05), 3)
        )


def choose(chance: random.Random) -> tuple[Any, ...]:
    """Return a job's definition and the arguments after its name."""
    how = chance.choice(list(jobs.CRASHES))
    kinds: list[tuple[int, Callable[[], tuple[Any, ...]]]] = [
        (500, lambda: (jobs.work, round(chance.choice([0, 0, 0.001, 0.05]) * chance.random(), 4))),
        (200, lambda: (jobs.wait, round(chance.choice([0, 0.001, 0.05]) * chance.random(), 4))),
        (60, lambda: (jobs.alone,)),
        (60, lambda: (jobs.fail,)),
        (60, lambda: (jobs.enqueue_more,)),
        (10, lambda: (jobs.last, round(chance.uniform(0, 2), 3))),
        (20, lambda: (jobs.run_program,)),
        (3, lambda: (jobs.crash, how)),
        (3, lambda: (jobs.crash_once, how)),
        (60, lambda: (jobs.try_again, chance.randint(1, 4))),
        (20, lambda: (jobs.ask_again, chance.randint(1, 3), round(chance.uniform(0, 1), 3))),
        (3, lambda: (jobs.take_too_long_again, chance.random() < 0.5)),
        (3, lambda: (jobs.take_too_long,)),
        (3, lambda: (jobs.wait_too_long,)),
        (2, lambda: (jobs.ignore_timeout,)),
    ]
    (make,) = chance.choices([make for _, make in kinds], weights=[weight for weight, _ in kinds])
    return make()


def waiting() -> int:
    """Return how many jobs wait, now or later; none if Redis does not tell."""
    try:
        later = int(client().zcard(keys().later))
        return later + sum(int(client().llen(keys().queue(queue))) for queue in jobs.QUEUES)
    except redis.RedisError:
        return 0
