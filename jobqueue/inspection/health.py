"""Read in one look whether the jobs that wait will be performed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from jobqueue.connection import keys
from jobqueue.exceptions import InvalidQueues
from jobqueue.inspection.queues import measured, sorted_names
from jobqueue.inspection.replies import fetch, or_else
from jobqueue.inspection.workers import is_silent, read_moment, split_id
from jobqueue.keys import to_text
from jobqueue.patterns import QueueList


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a monitor wants to know."""

    alive: list[str]
    """Ids of the workers whose last heartbeat is young."""
    silent: list[str]
    """Ids of the other registered workers."""
    waiting: int
    failed: int
    """The length of the Failed list."""
    paused: list[str]
    is_all_paused: bool
    unattended: dict[str, int]
    """Jobs that wait in queues which are not paused and which no living worker listens to."""
    delayed: int
    """Jobs of ours that wait for their moments."""
    late_seconds: float
    """How long the first of all delayed jobs has been due; 0 if it is not."""
    complaints: list[str]


def health() -> Health:
    """Return it, in two round trips. Raises RedisUnreachable, and ResponseError if Redis refuses."""
    k = keys()
    complaints: list[str] = []
    commands = [("SMEMBERS", k.queues), ("SMEMBERS", k.workers), ("SMEMBERS", k.paused)]
    more = [("HGETALL", k.heartbeats), ("LLEN", k.failed), ("GET", k.pause_all)]
    first = [("ZRANGE", key, 0, 0, "WITHSCORES") for key in (k.later, k.delayed_times)]
    replies = fetch([("TIME",), *commands, *more, ("ZCARD", k.later), *first])
    now, queues, workers, paused, beats, failed, pause_all, delayed, *first_due = replies
    if isinstance(now, ResponseError):
        raise now
    paused_names = sorted_names(or_else([], paused, k.paused, complaints))
    alive, silent = _by_heartbeat(
        sorted_names(or_else([], workers, k.workers, complaints)),
        _pairs(or_else([], beats, k.heartbeats, complaints)),
    )
    sizes = _sizes(sorted_names(or_else([], queues, k.queues, complaints)), complaints)
    return Health(
        alive=alive,
        silent=silent,
        waiting=sum(sizes.values()),
        failed=or_else(0, failed, k.failed, complaints),
        paused=paused_names,
        is_all_paused=or_else(b"", pause_all, k.pause_all, complaints).strip().lower() == b"true",
        unattended=unattended(
            {name: size for name, size in sizes.items() if size and name not in paused_names}, alive
        ),
        delayed=or_else(0, delayed, k.later, complaints),
        late_seconds=_late_seconds(int(now[0]), *(or_else([], each, "", []) for each in first_due)),
        complaints=complaints,
    )


def _late_seconds(now: int, first: list[bytes], first_bare: list[bytes]) -> float:
    """Return how long the earliest has been due: of our jobs, in ms, and of Ruby's, in seconds."""
    moments = [*(float(score) / 1000 for score in first[1:]), *map(float, first_bare[1:])]
    return min(max([0.0, *(now - moment for moment in moments)]), now)


def _pairs(flat: list[bytes]) -> dict[str, bytes]:
    return dict(zip(map(to_text, flat[::2]), flat[1::2], strict=True))


def _by_heartbeat(ids: Iterable[str], beats: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return those that live and the others; one without a heartbeat that can be read is none that lives."""
    alive: list[str] = []
    silent: list[str] = []
    for worker_id in ids:
        moment = read_moment(beats.get(worker_id))
        lives = moment and moment.at and not is_silent(moment)
        (alive if lives else silent).append(worker_id)
    return alive, silent


def _sizes(names: list[str], complaints: list[str]) -> dict[str, int]:
    queues = measured(names)
    complaints += [queue.complaint for queue in queues if queue.complaint]
    return {queue.name: queue.size for queue in queues}


def unattended(sizes: dict[str, int], worker_ids: Iterable[str]) -> dict[str, int]:
    """Return those of the queues that none of these workers listens to, as far as their ids tell.

    An id holds names and patterns, but not the exclusions of our own workers.
    """
    left = dict(sizes)
    for label in {",".join(split_id(worker_id)[2]) for worker_id in worker_ids}:
        for name in _listened_to(label, left):
            left.pop(name, None)
    return left


def _listened_to(label: str, known: Iterable[str]) -> list[str]:
    try:
        return QueueList.of_label(label).resolve(known)
    except InvalidQueues:
        return []
