"""Enqueue jobs of the chaos run under the eyes of the ledger. Each of these raises RedisUnreachable."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jobqueue import Job, job_enqueued
from jobqueue.definition import Definition
from jobqueue.exceptions import RedisUnreachable
from tests.chaos import ledger


def enqueue(definition: Definition[..., Any], name: str, *args: Any) -> None:
    """Enqueue one job."""
    enqueue_many(definition, [(name, *args)])


def delay(definition: Definition[..., Any], seconds: float, name: str, *args: Any) -> None:
    """Delay one job."""
    ledger.note(ledger.DELAYED, name, f"{time.time() + seconds:.6f}")
    with _noted_enqueue(definition, [name]):
        definition.enqueue_in(seconds, name, *args)


def enqueue_once(definition: Definition[..., Any], name: str, *args: Any) -> None:
    """Enqueue one unique job, unless its equal is there."""
    let_in: list[str] = []

    def note_enqueued(job: Job, **_: Any) -> None:
        let_in.append(job.args[0])

    began = time.time()
    job_enqueued.connect(note_enqueued, sender=definition)
    try:
        with _noted_enqueue(definition, [name], let_in):
            definition.enqueue(name, *args)
    finally:
        job_enqueued.disconnect(note_enqueued, sender=definition)
    if not let_in:
        ledger.note(ledger.DROPPED, name, f"{began:.6f}")


def call_often(definition: Definition[..., Any], name: str, pauses: Sequence[float]) -> None:
    """Call one job again and again, of which the last call counts."""
    *others, last = [f"{name}.{number}~{name}" for number in range(len(pauses))]
    for call, seconds in zip([*others, last], pauses, strict=True):
        time.sleep(seconds)
        with _noted_enqueue(definition, [call], [last]):
            definition.enqueue(call)


def enqueue_many(definition: Definition[..., Any], calls: Sequence[Sequence[Any]]) -> None:
    """Enqueue jobs at once, whose names come first."""
    with _noted_enqueue(definition, [name for name, *_ in calls]):
        definition.enqueue_many(calls) if len(calls) > 1 else definition.enqueue(*calls[0])


@contextmanager
def _noted_enqueue(
    definition: Definition[..., Any], names: Sequence[str], counting: Sequence[str] | None = None
) -> Iterator[None]:
    """Note jobs before they are enqueued, and by how it has gone; ``counting`` are those that then count."""
    for name in names:
        ledger.note(ledger.TRIED, name, definition.function.__name__)
    try:
        yield
    except RedisUnreachable as error:
        if not error.may_have_arrived:
            for name in names:
                ledger.note(ledger.REFUSED, name)
        raise
    for name in names:
        if counting is None or name in counting:
            ledger.note(ledger.ACKNOWLEDGED, name)
