"""How delayed jobs come to their queues: on time, and fast when very many are due at once."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.floors import Wire
from benchmarks.ground import BULK, Ground, call, jobworker, processes, running
from benchmarks.jobs import QUEUE, TIMES, noop, tell_time
from benchmarks.report import figure, in_turns, percentile, print_table
from benchmarks.targets import at_most, print_verdicts
from jobqueue import delayed
from jobqueue.ids import new_ids
from jobqueue.keys import Keys
from jobqueue.payload import Job, encode

DELAYED, DUE = 1_000_000, 100_000
LEAD_SECONDS = 20
"""So long before they are due the scheduler may begin."""
PINGS = 20
"""In a row, then a look at the queue."""
SAMPLES, SPREAD_SECONDS = 200, 20.0
LATE_MS, MOST_MB, WAIT_MS = 250, 100, 20
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
METHOD = """\
{delayed:,} no-op jobs with three small arguments are delayed, {due:,} of them to one second; one scheduler
waits for it. The time is that from their moment until the last is in its queue. Meanwhile another client
sends PING after PING and takes the time of each: so long does what others ask of Redis wait. Memory is the
most that the scheduler's process has had, all that it shares with others included. On time: {samples} jobs
due at moments drawn from {spread:g} s, performed by an idle worker; from their moment to their first line.
"""


class Promoted(NamedTuple):
    """How one crowd of due jobs came to its queue."""

    seconds: float
    waits_ms: list[float]
    peak_mb: float


def run(ground: Ground, rounds: int, jobs: int) -> None:
    method = METHOD.format(delayed=DELAYED, due=DUE, samples=SAMPLES, spread=SPREAD_SECONDS)
    print(f"## Delayed jobs\n\n{method}")
    kinds = {"ours": ours, "bare, in resque-scheduler's keys": bare}
    taken = in_turns(rounds, {name: partial(promote, ground, fill) for name, fill in kinds.items()})
    rows = [[name, *_row(each)] for name, each in taken.items()]
    print_table(["", "jobs/s", "PING, p50, ms", "p99.9, ms", "longest, ms", "memory, MB"], rows)
    late = in_turns(rounds, {"late": partial(lateness, ground)})["late"]
    rows = [[f"p{percent}", figure([percentile(each, percent) for each in late], 1)] for percent in (50, 99)]
    print_table(["on time", "ms"], rows)
    longest = {name: [max(each.waits_ms) for each in every] for name, every in taken.items()}
    peaks = [each.peak_mb for every in taken.values() for each in every]
    medians = [percentile(each, 50) for each in late]
    print_verdicts(
        [
            at_most(1, f"a job starts at most {LATE_MS} ms after its moment, median", medians, [LATE_MS]),
            *(
                at_most(
                    1, f"{name}: what others ask waits at most {WAIT_MS} ms, the longest", each, [WAIT_MS]
                )
                for name, each in longest.items()
            ),
            at_most(1, f"a scheduler has at most {MOST_MB} MB", [max(peaks)], [MOST_MB]),
        ]
    )


def _row(taken: list[Promoted]) -> list[str]:
    return [
        figure([DUE / each.seconds for each in taken]),
        *(figure([percentile(each.waits_ms, percent) for each in taken], 2) for percent in (50, 99.9)),
        figure([max(each.waits_ms) for each in taken], 1),
        figure([each.peak_mb for each in taken], 1),
    ]


def promote(ground: Ground, fill: Callable[[Wire, Keys, int, int], None]) -> Promoted:
    ground.empty()
    with closing(Wire(ground.path)) as wire:
        fill(wire, ground.keys, DELAYED - DUE, int(time.time()) + 3600)
        due_at = int(time.time()) + LEAD_SECONDS
        fill(wire, ground.keys, DUE, due_at)
        with processes([["django", "jobscheduler", "-v", "0"]]) as (scheduler,):
            ground.wait_for_idle(1)
            if time.time() > due_at:
                raise RuntimeError(f"{DUE:,} jobs could not be delayed within {LEAD_SECONDS} s")
            waits_ms, seconds = _watched(wire, ground.keys.queue(QUEUE), due_at)
            return Promoted(seconds, waits_ms, _peak_mb(scheduler))


def ours(wire: Wire, keys: Keys, count: int, due_at: int) -> None:
    """Delay jobs: those that are due soon to one second, others to one moment each."""
    for first, texts in _texts(count, delayed.member):
        step = 1 if count > DUE else 0
        moments = [due_at * 1000 + step * (first + number) for number in range(len(texts))]
        wire("ZADD", keys.later, *(part for pair in zip(moments, texts, strict=True) for part in pair))


def bare(wire: Wire, keys: Keys, count: int, due_at: int) -> None:
    """Do the same in resque-scheduler's keys, where each second has its list."""
    for first, texts in _texts(count, delayed.bare):
        at = due_at + (first // BULK if count > DUE else 0)
        index = [("SADD", keys.timestamps(text.decode()), f"delayed:{at}") for text in texts]
        wire.exchange([("RPUSH", keys.delayed(at), *texts), ("ZADD", keys.delayed_times, at, at), *index])


def _texts(count: int, text_of: Callable[[bytes, str], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the texts of delayed jobs, some at a time, with the number of the first."""
    ids = new_ids()
    for first in range(0, count, BULK):
        jobs = (Job(noop.name, list(call(number)), {}, next(ids)) for number in range(first, first + BULK))
        yield first, [text_of(encode(job), QUEUE) for job in jobs]


def _watched(wire: Wire, queue: str, due_at: int) -> tuple[list[float], float]:
    """Return the milliseconds of each PING while jobs come to a queue, and the seconds until all have."""
    time.sleep(max(0, due_at - time.time()))
    waits_ms: list[float] = []
    while wire("LLEN", queue) < DUE:
        for _ in range(PINGS):
            began = time.perf_counter()
            wire("PING")
            waits_ms.append((time.perf_counter() - began) * 1000)
    return waits_ms, time.time() - due_at


def _peak_mb(pid: int) -> float:
    found = PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def lateness(ground: Ground) -> list[float]:
    """Return how many milliseconds after its moment each job has begun."""
    ground.empty()
    chance = random.Random(1)
    with running([jobworker(1, scheduler=True)]):
        ground.wait_for_idle(2)
        began, began_ns = time.time(), time.perf_counter_ns()
        moments = sorted(began + 1 + chance.uniform(0, SPREAD_SECONDS) for _ in range(SAMPLES))
        for moment in moments:
            tell_time.enqueue_at(datetime.fromtimestamp(moment, UTC))
        begun = sorted(ground.noted(TIMES) for _ in moments)
    due_ns = (began_ns + round((moment - began) * 1e9) for moment in moments)
    return [(at - due) / 1e6 for at, due in zip(begun, due_ns, strict=True)]
