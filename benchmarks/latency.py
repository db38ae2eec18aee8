"""How long a job waits for an idle worker, beside a bare hand-over by BLPOP."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial

from benchmarks.floors import HAND, Wire
from benchmarks.ground import Ground, bare_processes, some_queues, workers
from benchmarks.jobs import TIMES, tell_time
from benchmarks.report import figure, in_turns, percentile, print_table
from benchmarks.targets import at_most, print_verdicts

SAMPLES = 300
REST_SECONDS = 0.01
QUEUES = (1, 10, 200)
TARGETS = {50: 2, 99: 3}
"""At most so many times the bare hand-over, for each percentile."""
BARE, BARE_TWICE = "bare hand-over", "bare hand-over, and an exchange"
BY_REDIS_PY, HEARD = "hand-over by redis-py", "`enqueue()`, heard by a bare BLPOP"
METHOD = """\
Milliseconds from before `enqueue()` to the first line of the job, of one worker that has been idle for at
least 10 ms; {samples} times a round. The bare hand-over goes from before an RPUSH to the return of another
process's BLPOP, both over sockets with hiredis. No worker can do with that: what it hears is a bell, and it
then claims the job in a second exchange, so that the job is never in its memory alone. The second row adds
such an exchange, LPOP and HSET in a script. The third is the first with redis-py in both processes. The
fourth is our sender without our worker: until its doorbell is heard.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    contenders = {
        BARE: partial(bare, ground, "hand_over"),
        BARE_TWICE: partial(bare, ground, "hand_over_and_claim"),
        BY_REDIS_PY: partial(by_redis_py, ground),
        HEARD: partial(heard, ground),
        **{_name(queues): partial(ours, ground, queues) for queues in QUEUES},
    }
    samples = in_turns(rounds, contenders)
    taken = {
        name: {percent: [percentile(each, percent) for each in lists] for percent in TARGETS}
        for name, lists in samples.items()
    }
    print(f"## Idle latency\n\n{METHOD.format(samples=SAMPLES)}")
    rows = [[name, *(figure(values, 3) for values in each.values())] for name, each in taken.items()]
    print_table(["", *(f"p{percent}, ms" for percent in TARGETS)], rows)
    print_verdicts(
        at_most(
            times,
            f"p{percent}, queues: {queues}: at most {times} × the bare hand-over, ms",
            taken[_name(queues)][percent],
            taken[BARE][percent],
        )
        for queues in QUEUES
        for percent, times in TARGETS.items()
    )


def _name(queues: int) -> str:
    return f"jobworker, queues: {queues}"


def ours(ground: Ground, queues: int) -> list[float]:
    return sample(ground, partial(workers, 1, queues=some_queues(queues)), tell_time.enqueue)


def bare(ground: Ground, name: str) -> list[float]:
    receiver = partial(bare_processes, 1, name, ground.path)
    with closing(Wire(ground.path)) as wire:
        return sample(ground, receiver, lambda: wire("RPUSH", HAND, 1))


def by_redis_py(ground: Ground) -> list[float]:
    receiver = partial(bare_processes, 1, "hand_over_by_redis_py", ground.path)
    return sample(ground, receiver, lambda: ground.redis.rpush(HAND, 1))


def heard(ground: Ground) -> list[float]:
    return sample(ground, partial(bare_processes, 1, "hear", ground.path), tell_time.enqueue)


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
            taken.append((ground.noted(TIMES) - began) / 1e6)
    return taken
