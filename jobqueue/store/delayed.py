"""Let jobs wait for their moments: ours in ``later``, bare ones in resque-scheduler's keys, as Ruby's.

What is done to jobs that wait names each by its text, so one that has gone meanwhile is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

from jobqueue import delayed
from jobqueue.connection import client, keys, reaching
from jobqueue.inspection.delayed import DelayedJob
from jobqueue.keys import Keys
from jobqueue.link import Link
from jobqueue.locks import lock_of
from jobqueue.scripts import load
from jobqueue.store import promotion
from jobqueue.store.pushing import send

MOST_PER_SCRIPT = 100


def delay(queue: str, payloads: Sequence[bytes], moment_ms: int) -> None:
    """Let jobs wait until a moment, in ms since the epoch, and then go to a queue.

    Raises InvalidPayload, RedisUnreachable, and NotReplicated as ``pushing.push`` does.
    """
    pairs = [(moment_ms, delayed.member(payload, queue)) for payload in payloads]
    send("delay", _later, [], pairs, f"Delayed for {queue!r}")


def delay_bare(queue: str, payloads: Sequence[bytes], moment_ms: int) -> None:
    """Let jobs wait in resque-scheduler's keys, which know whole seconds; else as ``delay``."""
    pairs = [(moment_ms // 1000, delayed.bare(payload, queue)) for payload in payloads]
    send("delay_bare", _times, [], pairs, f"Delayed for {queue!r}")


def remove(jobs: Iterable[DelayedJob]) -> int:
    """Remove jobs that wait; return how many there were. Raises RedisUnreachable, as all of these do."""
    ours, bare = _parted(jobs)
    removed = 0
    for some in _chunks([part for job in ours for part in _with_lock(job)], 3):
        removed += _run("remove_later", [keys().later, keys().unique], some)
    for some in _chunks(_named(bare), 3):
        removed += _run("remove_bare", _bare_keys(keys()), some)
    return removed


def move(jobs: Iterable[DelayedJob], moment_ms: int) -> int:
    """Let jobs wait for another moment; return how many there were."""
    ours, bare = _parted(jobs)
    key, moved = keys(), 0
    for texts in _chunks([job.raw for job in ours], 1):
        moved += _run("move_later", [key.later, key.wake_scheduler], [moment_ms, *texts])
    for some in _chunks(_named(bare), 3):
        moved += _run("move_bare", [*_bare_keys(key), key.wake_scheduler], [moment_ms // 1000, *some])
    return moved


def enqueue_now(jobs: Iterable[DelayedJob]) -> int:
    """Bring jobs to their queues as if they were due, in this order; return how many there were.

    One that names no queue becomes a failure.
    """
    ours, bare = _parted(jobs)
    brought = 0
    with closing(Link()) as link, reaching():
        for texts in _chunks([job.raw for job in ours], 1):
            brought += promotion.bring(link, texts).promoted
        for time, some in groupby(bare, key=lambda job: job.time):
            for texts in _chunks([job.raw for job in some], 1):
                brought += promotion.bring_bare(link, time, texts).promoted
    return brought


def _parted(jobs: Iterable[DelayedJob]) -> tuple[list[DelayedJob], list[DelayedJob]]:
    both = list(jobs)
    return [job for job in both if not job.is_bare], [job for job in both if job.is_bare]


def _with_lock(job: DelayedJob) -> tuple[bytes, str, str]:
    lock = lock_of(job.raw)
    return (job.raw, lock.digest, lock.id) if lock else (job.raw, "", "")


def _named(bare: Iterable[DelayedJob]) -> list[Any]:
    """Return the time and text of each bare job, and how many of these are meant."""
    counts = Counter((job.time, job.raw) for job in bare)
    return [part for named, count in counts.items() for part in (*named, count)]


def _chunks(parts: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    step = MOST_PER_SCRIPT * size
    return (parts[start : start + step] for start in range(0, len(parts), step))


def _run(script: str, names: Sequence[str], args: Sequence[Any]) -> int:
    with reaching():
        return int(load(script)(client(), names, args))


def _later(key: Keys) -> list[str]:
    return [key.later, key.wake_scheduler]


def _times(key: Keys) -> list[str]:
    return [key.delayed_times, key.wake_scheduler, key.delayed(""), key.timestamps("")]


def _bare_keys(key: Keys) -> list[str]:
    return [key.delayed_times, key.delayed(""), key.timestamps("")]
