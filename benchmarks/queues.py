"""What it costs to listen to many queues of which all but one are empty."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from benchmarks.ground import Ground, some_queues, workers
from benchmarks.jobs import QUEUE, TIMES, tell_time
from benchmarks.report import figure, in_turns, percentile, print_table
from benchmarks.targets import at_least, print_verdicts
from benchmarks.throughput import Contender, drain
from jobqueue.store import queues

COUNTS = (1, 10, 200, 1000)
MANY = COUNTS[-1]
PATTERNS = ("empty-*", QUEUE)
BY_PATTERN = f"queues: {MANY}, by `{','.join(PATTERNS)}`"
LEAST_SHARE = 0.7
LOOKS = 50
BUSY_JOBS = 3_000_000
METHOD = """\
{jobs:,} no-op jobs in the queue that comes last in the worker's order, timed as under throughput, by one
worker; the others are empty. The lag: while the last queue is full, a job comes into the first one,
{looks} times; the time from before its `enqueue()` to its first line.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    contenders: dict[str, Callable[[], float]] = {
        f"queues: {count}": partial(_rate, ground, count, jobs) for count in COUNTS
    }
    contenders[BY_PATTERN] = partial(_rate, ground, MANY, jobs, PATTERNS)
    rates = in_turns(rounds, contenders)
    lags = {count: lag(ground, count) for count in COUNTS[1:]}
    print(f"## Many queues\n\n{METHOD.format(jobs=jobs, looks=LOOKS)}")
    print_table(["", "jobs/s"], [[name, figure(each)] for name, each in rates.items()])
    rows = [
        [f"queues: {count}", f"{percentile(each, 50):.1f}", f"{max(each):.1f}"]
        for count, each in lags.items()
    ]
    print_table(["", "priority lag, ms: median", "most"], rows)
    print_verdicts(
        [
            at_least(
                LEAST_SHARE,
                f"{name}: at least {LEAST_SHARE:.0%} of the throughput with one, jobs/s",
                rates[name],
                rates["queues: 1"],
            )
            for name in (f"queues: {MANY}", BY_PATTERN)
        ]
    )


def _rate(ground: Ground, count: int, jobs: int, named: Sequence[str] = ()) -> float:
    names = some_queues(count)
    start = partial(_knowing, ground, names, partial(workers, 1, queues=named or names))
    return drain(ground, Contender(1, start, partial(queues.resume, QUEUE)), jobs).rate


@contextmanager
def _knowing(
    ground: Ground, names: Sequence[str], start: Callable[[], AbstractContextManager[None]]
) -> Iterator[None]:
    """Have the queues known, as those that have had jobs before."""
    ground.redis.sadd(ground.keys.queues, *names)
    with start():
        yield


def lag(ground: Ground, count: int) -> list[float]:
    """Return milliseconds until a job of the first queue begins while the last one is full."""
    names = some_queues(count)
    urgent = tell_time.using(queue=names[0])
    ground.empty()
    ground.stuff(BUSY_JOBS)
    taken = []
    with workers(1, queues=names):
        for _ in range(LOOKS):
            ground.wait_until(lambda: ground.processed > 0)
            began = time.perf_counter_ns()
            urgent.enqueue()
            taken.append((ground.noted(TIMES) - began) / 1e6)
            time.sleep(0.0137)
        queues.pause(QUEUE)
    return taken
