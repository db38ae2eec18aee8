"""No-op jobs per second, beside a bare loop that claims and acknowledges batches of 50."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from benchmarks.floors import GO
from benchmarks.ground import Ground, bare_processes, workers
from benchmarks.jobs import QUEUE
from benchmarks.report import figure, in_turns, print_table
from jobqueue.store import queues

METHOD = """\
The processes have started and are idle when {jobs:,} no-op jobs with three small arguments stand in the
queue, which is paused for the workers; the bare loops wait for a list. The time runs from the start signal
until Redis counts the last job as processed, looked at every 2 ms. The bare loop acknowledges a batch
(HDEL, one INCRBY) and claims the next (LPOP 50, HSET) in one Lua script over a socket with hiredis, and
calls a function with each payload; the one that decodes calls it with the arguments that `json.loads` finds
there.
"""


FLOORS = ("bare loop", "bare loop that decodes")


class Contender(NamedTuple):
    """Processes that drain the queue once they are told to."""

    processes: int
    start: Callable[[], AbstractContextManager[None]]
    go: Callable[[], object]


class Drain(NamedTuple):
    """How fast a queue was drained."""

    rate: float
    """Jobs per second."""
    redis_us: float
    """Microseconds of Redis's processor time per job."""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    contenders: dict[str, Contender] = {}
    for count in (1, 2):
        contenders |= {
            f"bare loop, processes: {count}": bare(ground, count, "loop"),
            f"bare loop that decodes, processes: {count}": bare(ground, count, "decoding_loop"),
            f"jobworker --count {count}": ours(count),
        }
    drains = in_turns(rounds, {name: partial(drain, ground, it, jobs) for name, it in contenders.items()})
    rates = {name: [each.rate for each in drains[name]] for name in drains}
    medians = {name: statistics.median(rates[name]) for name in rates}
    print(f"## Throughput\n\n{METHOD.format(jobs=jobs)}")
    rows = []
    for name, contender in contenders.items():
        floors = [medians[f"{floor}, processes: {contender.processes}"] for floor in FLOORS]
        shares = [f"{medians[name] / floor:.0%}" for floor in floors]
        redis_us = [each.redis_us for each in drains[name]]
        rows.append([name, figure(rates[name]), *shares, figure(redis_us, 1)])
    print_table(["", "jobs/s", *(f"of the {floor}" for floor in FLOORS), "Redis's processor, µs/job"], rows)


def bare(ground: Ground, count: int, loop: str) -> Contender:
    start = partial(bare_processes, count, loop, ground.path)
    return Contender(count, start, lambda: ground.redis.rpush(GO, *range(count)))


def ours(count: int, *options: str) -> Contender:
    return Contender(count, partial(workers, count, *options), partial(queues.resume, QUEUE))


def drain(ground: Ground, contender: Contender, jobs: int) -> Drain:
    ground.empty()
    queues.pause(QUEUE)
    with contender.start():
        ground.wait_for_idle(contender.processes)
        ground.fill(jobs)
        ground.wait_for_idle(contender.processes)
        used, began = ground.redis_cpu_seconds, time.perf_counter()
        contender.go()
        ground.wait_until(lambda: ground.processed >= jobs)
        seconds = time.perf_counter() - began
        return Drain(jobs / seconds, (ground.redis_cpu_seconds - used) / jobs * 1e6)
