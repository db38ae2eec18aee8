"""How long a job waits for an idle worker, beside a bare hand-over by BLPOP."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial

from benchmarks.floors import HAND, Wire
from benchmarks.ground import Ground, bare_processes, workers
from benchmarks.jobs import TIMES, tell_time
from benchmarks.report import figure, in_turns, percentile, print_table

SAMPLES = 300
REST_SECONDS = 0.01
METHOD = """\
Milliseconds from before `enqueue()` to the first line of the job, of one worker that has been idle for at
least 10 ms; {samples} times a round. The bare hand-over goes from before an RPUSH to the return of another
process's BLPOP, both over sockets with hiredis.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    contenders = {
        "bare hand-over": partial(bare, ground),
        "jobworker --count 1": partial(sample, ground, lambda: workers(1), tell_time.enqueue),
    }
    samples = in_turns(rounds, contenders)
    print(f"## Idle latency\n\n{METHOD.format(samples=SAMPLES)}")
    print_table(
        ["", "p50, ms", "p99, ms"],
        [
            [name, *(figure([percentile(each, percent) for each in taken], 3) for percent in (50, 99))]
            for name, taken in samples.items()
        ],
    )


def bare(ground: Ground) -> list[float]:
    receiver = partial(bare_processes, 1, "hand_over", ground.path)
    with closing(Wire(ground.path)) as wire:
        return sample(ground, receiver, lambda: wire("RPUSH", HAND, 1))


def sample(
    ground: Ground, start: Callable[[], AbstractContextManager[None]], send: Callable[[], object]
) -> list[float]:
    """Return milliseconds from before ``send`` to the moment that a process noted."""
    ground.empty()
    taken = []
    with start():
        for _ in range(SAMPLES):
            ground.wait_for_idle(1)
            time.sleep(REST_SECONDS)
            began = time.perf_counter_ns()
            send()
            taken.append((_noted(ground) - began) / 1e6)
    return taken


def _noted(ground: Ground) -> int:
    ground.wait_until(lambda: bool(ground.redis.llen(TIMES)))
    moment = ground.redis.lpop(TIMES)
    return int(moment)  # type: ignore[arg-type]
