"""Whether a long backlog makes anything slower: throughput and enqueueing beside what waits."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

from benchmarks.ground import Ground, call, workers
from benchmarks.jobs import QUEUE, noop
from benchmarks.report import figure, in_turns, print_table, us_each
from benchmarks.targets import at_least, at_most, print_verdicts
from jobqueue.store import queues

LEAST_ROUNDS = 5
SHORT, LONG = 10_000, 5_000_000
WORKERS = 2
PERFORMED = 200_000
WITHIN = 0.1
ENQUEUED, PARTS = 2_000, 9
METHOD = """\
Throughput of {workers} workers while they perform the first {jobs:,} jobs, and the time of one `enqueue()`,
the median of {parts} times {some:,}, with {short:,} and with {long:,} no-op jobs behind them in the queue.
At least {rounds} rounds.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    rounds = max(rounds, LEAST_ROUNDS)
    contenders: dict[str, Callable[[], tuple[float, float]]] = {
        f"{backlog:,}": partial(measure, ground, backlog) for backlog in (SHORT, LONG)
    }
    taken = in_turns(rounds, contenders)
    rates = {name: [rate for rate, _ in each] for name, each in taken.items()}
    costs = {name: [us for _, us in each] for name, each in taken.items()}
    method = METHOD.format(
        workers=WORKERS,
        jobs=PERFORMED,
        parts=PARTS,
        some=ENQUEUED,
        short=SHORT,
        long=LONG,
        rounds=LEAST_ROUNDS,
    )
    print(f"## Backlog\n\n{method}")
    rows = [[name, figure(rates[name]), figure(costs[name], 1)] for name in taken]
    print_table(["jobs behind", "jobs/s", "`enqueue()`, µs"], rows)
    short, long = taken
    print_verdicts(
        [
            at_least(1 - WITHIN, f"throughput with {LONG:,} waiting within 10 %", rates[long], rates[short]),
            at_most(1 + WITHIN, f"`enqueue()` with {LONG:,} waiting within 10 %", costs[long], costs[short]),
        ]
    )


def measure(ground: Ground, backlog: int) -> tuple[float, float]:
    """Return jobs per second, and microseconds of an enqueue."""
    ground.empty()
    ground.stuff(backlog)
    calls = [call(number) for number in range(ENQUEUED)]
    enqueueing = statistics.median(us_each(lambda args: noop.enqueue(*args), calls) for _ in range(PARTS))
    queues.pause(QUEUE)
    with workers(WORKERS):
        ground.wait_for_idle(WORKERS)
        ground.stuff(PERFORMED)
        began = time.perf_counter()
        queues.resume(QUEUE)
        ground.wait_until(lambda: ground.processed >= PERFORMED)
        seconds, performed = time.perf_counter() - began, ground.processed
        queues.pause(QUEUE)
    return performed / seconds, enqueueing
