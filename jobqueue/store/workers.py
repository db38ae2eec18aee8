"""Unregister workers that are dead, as Ruby's pruner does: phantoms would stay on every page.

Only Ruby's workers, and what is left of ours that have no run: jobs in flight are a matter of ``runs``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from enum import Enum, auto

from redis.exceptions import ResponseError

from jobqueue import pruning
from jobqueue.conf import settings
from jobqueue.connection import keys, reaching
from jobqueue.inspection import inflight
from jobqueue.inspection.replies import fetch, or_else
from jobqueue.inspection.workers import may_be_dead, read_moment
from jobqueue.keys import to_text
from jobqueue.link import Call, Link
from jobqueue.recovery import Judge
from jobqueue.scripts import load
from jobqueue.store import runs

DONE = 1
OTHERS_PRUNE = -1
Entry = Callable[[bytes, str], bytes]
"""Makes the failure of what a worker was doing."""


class PruneResult(Enum):
    """What became of a worker that somebody wants to be gone."""

    UNREGISTERED = auto()
    RECOVERED = auto()
    """It was one of ours: what it had in flight was put back, or has failed."""
    LIVES = auto()
    """It has sent a heartbeat, or has done something meanwhile."""
    OTHERS_PRUNE = auto()
    """A worker of Ruby is at it, for a minute at most."""


def prune_dead(link: Link) -> list[str]:
    """Unregister each worker whose heartbeats Ruby would miss; return their ids. Raises redis-py's errors.

    One of ours whose run still stands in ``runs`` is left to its recovery. One that has never sent a
    heartbeat is left alone, as in Resque: an old client may not send any.
    """
    now = link.now()
    beats = link.command("HGETALL", keys().heartbeats)
    pruned = []
    for name, beat in zip(beats[::2], beats[1::2], strict=True):
        if pruning.is_expired(beat, now) and _pruned(link, worker_id := to_text(name), beat):
            pruned.append(worker_id)
    return pruned


def _pruned(link: Link, worker_id: str, heartbeat: bytes) -> bool:
    try:
        return _unregister(link, worker_id, heartbeat, pruning.expired_entry) == DONE
    except ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
        # There is no place for its failure, or what it did is kept in something else: it waits for a person
        return False


def prune(worker_id: str, judge: Judge) -> PruneResult:
    """Unregister a worker at once that somebody knows to be dead, if it may be.

    ``judge`` decides on the jobs that one of ours has in flight. Raises RedisUnreachable, ResponseError, and
    ValueError if nobody can read what is in flight.
    """
    with closing(Link()) as link, reaching():
        heartbeat = or_else(None, fetch([("HGET", keys().heartbeats, worker_id)])[0], "", [])
        if not may_be_dead(read_moment(heartbeat), datetime.fromtimestamp(link.now(), UTC)):
            return PruneResult.LIVES
        if own := inflight.runs_of(worker_id):
            return _recover(link, own, judge)
        answer = _unregister(link, worker_id, heartbeat or b"", pruning.unregistered_entry)
    if answer == OTHERS_PRUNE:
        return PruneResult.OTHERS_PRUNE
    return PruneResult.UNREGISTERED if answer == DONE else PruneResult.LIVES


def _recover(link: Link, own: list[str], judge: Judge) -> PruneResult:
    silent = runs.silent_runs(link, settings.dead_after_seconds)
    if not silent.keys() >= set(own):
        return PruneResult.LIVES
    try:
        recovered = [runs.recover(link, run, judge, silent[run]) for run in own]
    except TimeoutError:
        # What it has in flight changes all the time
        return PruneResult.LIVES
    return PruneResult.RECOVERED if any(recovered) else PruneResult.LIVES


def _unregister(link: Link, worker_id: str, heartbeat: bytes, entry_of: Entry) -> int:
    key = keys()
    shown = link.command("GET", key.worker(worker_id))
    entry = b"" if shown is None else entry_of(shown, worker_id)
    registered = [key.runs, key.pruning, key.failed, key.workers, key.heartbeats]
    own = [key.worker(worker_id), key.worker_started(worker_id)]
    stats = [key.worker_stat(name, worker_id) for name in ("processed", "failed")]
    call = Call(
        load("prune"),
        [*registered, *own, *stats],
        [worker_id, key.inflight(""), heartbeat, shown or b"", entry],
    )
    return int(link.run(call)[0])
