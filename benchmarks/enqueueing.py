"""What it costs to enqueue, one at a time and many, beside redis-py and a bare socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from benchmarks.floors import Wire
from benchmarks.ground import Ground, call
from benchmarks.jobs import QUEUE, noop
from benchmarks.report import figure, in_turns, print_table, us_each
from benchmarks.targets import at_least, print_verdicts
from jobqueue.connection import client, keys
from jobqueue.ids import new_id
from jobqueue.payload import Job, encode
from jobqueue.store.pushing import push

ONE_AT_A_TIME = 5_000
BULK = 1000
LEAST_SHARE = 0.9
"""Of the rate of redis-py's pipeline."""
LEAST_BULK_RATE = 200_000
OURS, OURS_MANY = "`noop.enqueue(…)`", "`noop.enqueue_many(…)`"
PIPELINED = "redis-py, pipelined SADD and RPUSH"
METHOD = """\
One process, outside a transaction: {count:,} jobs one at a time, {jobs:,} where many go together. redis-py
and the bare socket send a payload that was made beforehand. The last four rows are parts of one
`enqueue()`.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    payload = ground.payloads(1)[0]
    calls = [call(number) for number in range(jobs)]
    few = calls[:ONE_AT_A_TIME]
    contenders: dict[str, Callable[[], float]] = {
        OURS: lambda: us_each(lambda args: noop.enqueue(*args), few),
        PIPELINED: partial(pipelined, ground, payload),
        "SADD and RPUSH packed on a bare socket": partial(packed, ground, payload),
        "RPUSH on a bare socket": partial(bare, ground, [payload], ONE_AT_A_TIME),
        OURS_MANY: partial(many, calls),
        f"RPUSH of {BULK:,} on a bare socket": partial(bare, ground, [payload] * BULK, jobs),
        "check the arguments, write the payload": lambda: us_each(_encode, calls),
        "make an id": lambda: us_each(lambda _: new_id(), calls),
        "find the keys and the client": lambda: us_each(lambda _: (keys(), client()), calls),
        "push, which finds them too": lambda: us_each(lambda _: push(QUEUE, [payload]), few),
    }
    figures = in_turns(rounds, {name: partial(_on_empty, ground, it) for name, it in contenders.items()})
    print(f"## Enqueueing\n\n{METHOD.format(count=len(few), jobs=jobs)}")
    print_table(
        ["", "µs/job", "jobs/s"],
        [[name, figure(each, 1), figure([1e6 / us for us in each])] for name, each in figures.items()],
    )
    rates = {name: [1e6 / us for us in each] for name, each in figures.items()}
    print_verdicts(
        [
            at_least(
                LEAST_SHARE,
                f"one at a time at least {LEAST_SHARE:.0%} of redis-py's pipelined SADD and RPUSH, jobs/s",
                rates[OURS],
                rates[PIPELINED],
            ),
            at_least(
                1,
                f"`enqueue_many` of {jobs:,} at least {LEAST_BULK_RATE:,} jobs/s",
                rates[OURS_MANY],
                [LEAST_BULK_RATE],
            ),
        ]
    )


def pipelined(ground: Ground, payload: bytes) -> float:
    def enqueue(_: int) -> None:
        pipeline = ground.redis.pipeline(transaction=False)
        pipeline.sadd(ground.keys.queues, QUEUE)
        pipeline.rpush(ground.keys.queue(QUEUE), payload)
        pipeline.execute()

    return us_each(enqueue, range(ONE_AT_A_TIME))


def packed(ground: Ground, payload: bytes) -> float:
    """Do what the pipeline does with nothing around it: one write, two answers."""
    commands = [("SADD", ground.keys.queues, QUEUE), ("RPUSH", ground.keys.queue(QUEUE), payload)]
    with closing(Wire(ground.path)) as wire:
        return us_each(lambda _: wire.exchange(commands), range(ONE_AT_A_TIME))


def bare(ground: Ground, payloads: list[bytes], jobs: int) -> float:
    queue = ground.keys.queue(QUEUE)
    with closing(Wire(ground.path)) as wire:
        pushing = us_each(lambda _: wire("RPUSH", queue, *payloads), range(jobs // len(payloads)))
    return pushing / len(payloads)


def many(calls: Sequence[tuple[Any, ...]]) -> float:
    began = time.perf_counter()
    noop.enqueue_many(calls)
    return (time.perf_counter() - began) / len(calls) * 1e6


def _on_empty(ground: Ground, measure: Callable[[], float]) -> float:
    ground.empty()
    return measure()


def _encode(args: tuple[Any, ...]) -> bytes:
    return encode(Job(noop.name, list(args), {}, "A" * 22))
