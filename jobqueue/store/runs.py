"""What supervisors do to Redis: tell that runs live, and recover the dead ones."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redis.exceptions import ResponseError

from jobqueue import clock, pruning
from jobqueue.connection import keys
from jobqueue.held import Held, parse_held
from jobqueue.keys import to_text
from jobqueue.link import Link
from jobqueue.locks import Change, lock_of
from jobqueue.recovery import Ending, Judge
from jobqueue.store.delivery import Scripts

AGAIN = -1
ATTEMPTS = 20
"""A dead worker's last commands may still arrive from its socket, each at most once."""
LOOKED_THROUGH_AT_MOST = 1_000
CHUNK = 50
"""Failures that are looked at together; they have been written since the worker died."""


class LiveRun(NamedTuple):
    """A run that a supervisor answers for."""

    name: str
    worker_id: str
    started_at: float
    """Seconds since the epoch."""


def heartbeat(link: Link, runs: Iterable[LiveRun]) -> float:
    """Tell that these runs live; return the time by Redis's clock, in seconds. Raises redis-py's errors."""
    now = link.now()
    key = keys()
    calls = [
        Scripts(key, run.name, run.worker_id).heartbeat(clock.started(run.started_at), clock.heartbeat(now))
        for run in runs
    ]
    if calls:
        link.run(*calls)
    return now


def silent_runs(link: Link, dead_after_seconds: float, redis_now: float | None = None) -> dict[str, int]:
    """Return the runs without a heartbeat for that long, with the last heartbeat in ms that is too old.

    Redis is asked for its time unless that is known from a moment ago.
    """
    now = link.now() if redis_now is None else redis_now
    oldest_ms = int((now - dead_after_seconds) * 1000)
    silent = link.command("ZRANGEBYSCORE", keys().runs, "-inf", oldest_ms)
    return {to_text(name): oldest_ms for name in silent}


def recover(link: Link, run: str, judge: Judge, dead_since_ms: int | str = "") -> bool:
    """End a dead run: deal with each job it has in flight as ``judge`` decides; tell whether it was there.

    With ``dead_since_ms`` it is left alone if it has sent a heartbeat since. Raises redis-py's errors.
    """
    key = keys()
    for _ in range(ATTEMPTS):
        fields = link.command("HGETALL", key.inflight(run))
        worker_id, held = parse_held(dict(zip(fields[::2], fields[1::2], strict=True)))
        is_shown = bool(link.command("EXISTS", key.worker(worker_id)))
        endings = [judge(job, worker_id) for job in held]
        if not is_shown:
            endings = _without_pruned(link, run, worker_id, held, endings)
        changes = _locks(held, endings)
        (answer,) = link.run(Scripts(key, run, worker_id).recover(dead_since_ms, is_shown, endings, changes))
        if answer != AGAIN:
            return bool(answer)
        time.sleep(0.01)
    raise TimeoutError(f"run {run} keeps changing although its process is dead")


def _locks(held: Sequence[Held], endings: Sequence[Ending]) -> list[Change]:
    """Return how the locks of unique jobs change: those that wait again have theirs, others give it back."""
    found = []
    for job, ending in zip(held, endings, strict=True):
        if lock := lock_of(job.payload):
            value = lock.value_after(ending.how, job.queue, ending.text)
            found.append((job.token, lock.digest, lock.id, value))
    return found


def _without_pruned(
    link: Link, run: str, worker_id: str, held: Sequence[Held], endings: Sequence[Ending]
) -> list[Ending]:
    """Let no started job fail here that Ruby's pruner has failed: its worker is shown no more."""
    failing = {job for job, ending in zip(held, endings, strict=True) if job.is_started and ending.fails}
    found = {job for job in failing if _has_ruby_failed(link, run, worker_id, job.payload)}
    return [
        Ending(ending.token, "pruned") if job in found else ending
        for job, ending in zip(held, endings, strict=True)
    ]


def _has_ruby_failed(link: Link, run: str, worker_id: str, payload: bytes) -> bool:
    """Look through the newest failures; what is not found there has to fail."""
    alive_at = float(link.command("ZSCORE", keys().runs, run) or "inf") / 1000
    for start in range(0, LOOKED_THROUGH_AT_MOST, CHUNK):
        try:
            entries = link.command("LRANGE", keys().failed, -start - CHUNK, -start - 1)
        except ResponseError:
            return False
        if any(pruning.has_failed(entry, payload, worker_id, alive_at) for entry in entries):
            return True
        if len(entries) < CHUNK:
            break
    return False
