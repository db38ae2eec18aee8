"""What jobs cost Redis: memory while they wait, processor time when they are performed."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial

from benchmarks.floors import Wire
from benchmarks.ground import BULK, Ground
from benchmarks.jobs import QUEUE
from benchmarks.report import figure, in_turns, print_table
from benchmarks.targets import Verdict, at_most, print_verdicts
from benchmarks.throughput import bare, drain, ours

WAITING = 100_000
MOST_TIMES_MEMORY, MOST_OWN_BYTES, MOST_TIMES_CPU = 1.05, 45, 1.5
PLAIN, JOBS = "a plain list of the same texts", "waiting jobs"
METHOD = """\
Memory: what Redis holds more after {waiting:,} no-op jobs with three small arguments were enqueued, without
its buffers for clients, beside a list of the same texts. Processor time: that of Redis while {jobs:,} jobs
are performed, which were there before.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    print(f"## What jobs cost Redis\n\n{METHOD.format(waiting=WAITING, jobs=jobs)}")
    print_verdicts([*memory(ground, rounds), *processor(ground, rounds, jobs)])


def memory(ground: Ground, rounds: int) -> list[Verdict]:
    texts = ground.payloads(WAITING)
    taken = in_turns(rounds, {PLAIN: partial(plain, ground, texts), JOBS: partial(waiting, ground)})
    print_table(["", "bytes/job"], [[name, figure(each, 1)] for name, each in taken.items()])
    own = [float(len(text) - len(_resques(text))) for text in texts[:BULK]]
    return [
        at_most(
            MOST_TIMES_MEMORY,
            f"bytes of a waiting job at most {MOST_TIMES_MEMORY} × a plain list",
            taken[JOBS],
            taken[PLAIN],
        ),
        at_most(1, f"bytes of our own fields at most {MOST_OWN_BYTES}", own, [MOST_OWN_BYTES]),
    ]


def processor(ground: Ground, rounds: int, jobs: int) -> list[Verdict]:
    contenders = {
        f"{name}, processes: {count}": contender
        for count in (1, 2)
        for name, contender in (("bare loop", bare(ground, count, "loop")), ("jobworker", ours(count)))
    }
    drains = in_turns(rounds, {name: partial(drain, ground, it, jobs) for name, it in contenders.items()})
    used = {name: [each.redis_us for each in taken] for name, taken in drains.items()}
    print_table(["", "Redis's processor, µs/job"], [[name, figure(each, 2)] for name, each in used.items()])
    return [
        at_most(
            MOST_TIMES_CPU,
            f"Redis's processor, workers: {count}: at most {MOST_TIMES_CPU} × the bare batched loop, µs/job",
            used[f"jobworker, processes: {count}"],
            used[f"bare loop, processes: {count}"],
        )
        for count in (1, 2)
    ]


def waiting(ground: Ground) -> float:
    ground.empty()
    before = ground.redis_data_bytes
    ground.fill(WAITING)
    return (ground.redis_data_bytes - before) / WAITING


def plain(ground: Ground, texts: list[bytes]) -> float:
    ground.empty()
    before = ground.redis_data_bytes
    with closing(Wire(ground.path)) as wire:
        for start in range(0, WAITING, BULK):
            wire("RPUSH", ground.keys.queue(QUEUE), *texts[start : start + BULK])
    return (ground.redis_data_bytes - before) / WAITING


def _resques(text: bytes) -> bytes:
    """Return what Resque itself would have written: the class and the arguments."""
    fields = json.loads(text)
    kept = {name: fields[name] for name in ("class", "args")}
    return json.dumps(kept, separators=(",", ":")).encode()
