"""What a no-op job costs a worker, by part, beside what the bare loop pays for the same."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing

from benchmarks.floors import BareLoop, Wire, nothing
from benchmarks.ground import Ground
from benchmarks.jobs import QUEUE
from benchmarks.report import figure, in_turns, print_table, us_each
from jobqueue import registry
from jobqueue.attention import Attention
from jobqueue.batchsize import MOST
from jobqueue.inflight import InFlight
from jobqueue.patterns import QueueList
from jobqueue.payload import Job, decode
from jobqueue.performing import perform
from jobqueue.sharedpage import SharedPage
from jobqueue.stopping import StopPlans
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions

MOST_JOBS = 50_000
WORKER_ID = "bench:1:bench"
TURN = "all of it, measured as a whole"
METHOD = """\
Microseconds per job in one process, over {jobs:,} payloads. Each part is measured by itself; round trips
include the wait for Redis, which has the other core. The whole is measured as well: what the parts leave of
it is the worker's own loop. The watching thread does not run here.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    payloads = ground.payloads(min(jobs, MOST_JOBS))
    taken = in_turns(rounds, {"parts": lambda: our_parts(ground, payloads) | bare_parts(ground, payloads)})
    figures = taken["parts"]
    print(f"## A job by its parts\n\n{METHOD.format(jobs=len(payloads))}")
    print_table(["", "µs/job"], [[name, figure([each[name] for each in figures], 2)] for name in figures[0]])


def our_parts(ground: Ground, payloads: Sequence[bytes]) -> dict[str, float]:
    parts = performing_parts(payloads)
    attention = Attention(StopPlans())
    try:
        parts |= in_flight_parts(ground, len(payloads), attention)
        turn = whole_turn(ground, len(payloads), attention)
    finally:
        attention.close()
    return {**parts, "the worker's own loop": turn - sum(parts.values()), TURN: turn}


def performing_parts(payloads: Sequence[bytes]) -> dict[str, float]:
    jobs = [decode(payload) for payload in payloads]
    parts = {
        "call the function": us_each(_call, jobs),
        "decode the payload": us_each(decode, payloads),
        "find its definition, check the arguments": us_each(_look_up, jobs),
    }
    performing = us_each(lambda payload: perform(payload, QUEUE, WORKER_ID), payloads)
    return {**parts, "the rest of perform(): checks before and after": performing - sum(parts.values())}


def in_flight_parts(ground: Ground, jobs: int, attention: Attention) -> dict[str, float]:
    ground.empty()
    ground.fill(jobs)
    page = SharedPage()
    in_flight = InFlight(WORKER_ID, time.time(), page, attention)
    handing, began = 0.0, time.perf_counter()
    while in_flight.claim([QUEUE], MOST):
        claimed = time.perf_counter()
        while job := in_flight.hand_out(page.lanes[0], _never):
            in_flight.done(job)
        handing += time.perf_counter() - claimed
    whole = time.perf_counter() - began
    in_flight.leave()
    return {
        "hand out and end, under the lock": handing / jobs * 1e6,
        f"settle and claim: a round trip for {MOST}": (whole - handing) / jobs * 1e6,
    }


def whole_turn(ground: Ground, jobs: int, attention: Attention) -> float:
    ground.empty()
    ground.fill(jobs)
    worker = Worker(WorkerOptions(queues=QueueList.parse(QUEUE)), attention, SharedPage(), 0.0)
    began = time.perf_counter()
    while worker.turn():
        pass
    seconds = time.perf_counter() - began
    worker.leave()
    return seconds / jobs * 1e6


def bare_parts(ground: Ground, payloads: Sequence[bytes]) -> dict[str, float]:
    ground.empty()
    ground.fill(len(payloads))
    with closing(Wire(ground.path)) as wire:
        began = time.perf_counter()
        BareLoop(wire, nothing).run()
        bare = (time.perf_counter() - began) / len(payloads) * 1e6
    return {
        "for comparison, the bare loop as a whole": bare,
        "for comparison, `json.loads` of the payload": us_each(json.loads, payloads),
        "for comparison, two writes to the shared page": us_each(_write_page, [SharedPage()] * len(payloads)),
    }


def _call(job: Job) -> None:
    nothing(*job.args, **job.kwargs)


def _look_up(job: Job) -> None:
    registry.get(job.name).arity.check(job.name, job.args, job.kwargs)


def _write_page(page: SharedPage) -> None:
    page.lanes[0].begin(1)
    page.finish(page.lanes[0], 1)
    page.forget_finished()


def _never(payload: bytes) -> bool:
    return False
