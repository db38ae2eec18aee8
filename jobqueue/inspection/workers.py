"""Read the workers, Ruby's and ours alike, and what each is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jobqueue import rubyjson
from jobqueue.conf import settings
from jobqueue.connection import keys
from jobqueue.inspection import moments
from jobqueue.inspection.jobs import SeenJob, is_large, large_job, read_fields
from jobqueue.inspection.queues import sorted_names
from jobqueue.inspection.replies import ask, fetch, number, or_else
from jobqueue.keys import to_text

COMMANDS_PER_WORKER = 5
MOST_QUEUES = 1_000
"""No id names more; one that a stranger has written may hold millions of commas."""
SILENT_SECONDS = 90.0
"""Ruby's workers send a heartbeat every minute, so a younger one says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time as it stands in Redis, and what it means if that can be known."""

    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What a worker is doing: the job, the queue it came from, since when."""

    queue: str
    since: Moment | None
    job: SeenJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One registered worker. An id is ``host:pid:queues``; the parts that are missing are empty."""

    id: str
    host: str
    pid: str
    queues: list[str]
    started: Moment | None = None
    heartbeat: Moment | None = None
    processed: int = 0
    failed: int = 0
    current: Current | None = None
    complaints: list[str]
    is_registered: bool = True

    @property
    def is_working(self) -> bool:
        return self.current is not None

    @property
    def is_silent(self) -> bool:
        return is_silent(self.heartbeat)

    @property
    def may_be_dead(self) -> bool:
        return may_be_dead(self.heartbeat)


def ids() -> list[str]:
    """Return the ids of the registered workers, sorted by bytes."""
    return sorted_names(ask("SMEMBERS", keys().workers))


def workers() -> list[Worker]:
    """Return every registered worker."""
    return read(ids())


def working() -> list[Worker]:
    """Return the registered workers that have a job."""
    return [worker for worker in workers() if worker.is_working]


def worker(worker_id: str) -> Worker | None:
    """Return one worker, or None if Redis knows nothing of it; an unregistered one that works is known."""
    replies = fetch([*_commands([worker_id]), ("SISMEMBER", keys().workers, worker_id)], atomic=True)
    is_registered = bool(or_else(0, replies.pop(), keys().workers, []))
    if not is_registered and all(reply is None for reply in replies):
        return None
    return _worker(worker_id, replies, is_registered=is_registered)


def read(worker_ids: Sequence[str]) -> list[Worker]:
    """Return the workers of these ids, in one round trip."""
    replies, n = fetch(_commands(worker_ids)), COMMANDS_PER_WORKER
    return [
        _worker(worker_id, replies[n * i : n * (i + 1)], is_registered=True)
        for i, worker_id in enumerate(worker_ids)
    ]


def _commands(worker_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    k = keys()
    return [
        command
        for worker_id in worker_ids
        for command in (
            ("GET", k.worker(worker_id)),
            ("GET", k.worker_started(worker_id)),
            ("HGET", k.heartbeats, worker_id),
            ("GET", k.worker_stat("processed", worker_id)),
            ("GET", k.worker_stat("failed", worker_id)),
        )
    ]


def _worker(worker_id: str, replies: Sequence[Any], *, is_registered: bool) -> Worker:
    k = keys()
    value, started, heartbeat, processed, failed = replies
    host, pid, queues, complaints = split_id(worker_id)
    return Worker(
        id=worker_id,
        host=host,
        pid=pid,
        queues=queues,
        started=read_moment(or_else(None, started, k.worker_started(worker_id), complaints)),
        heartbeat=read_moment(or_else(None, heartbeat, k.heartbeats, complaints)),
        processed=number(processed, k.worker_stat("processed", worker_id), complaints),
        failed=number(failed, k.worker_stat("failed", worker_id), complaints),
        current=read_current(value, k.worker(worker_id), complaints),
        complaints=complaints,
        is_registered=is_registered,
    )


def split_id(worker_id: str) -> tuple[str, str, list[str], list[str]]:
    """Return host, pid, queues and complaints; Ruby splits at the first two colons, then at commas."""
    host, _, rest = worker_id.partition(":")
    pid, _, queues = rest.partition(":")
    if pid and queues:
        return host, pid, queues.split(",", MOST_QUEUES)[:MOST_QUEUES], []
    return host, pid, [], ["The id is not host:pid:queues; Ruby's pages cannot show such a worker."]


def read_moment(value: Any) -> Moment | None:
    """Read a time that stands in Redis; None if none does."""
    if value is None:
        return None
    text = to_text(value)
    return Moment(text=text[:60], at=moments.parse(text[:60]))


def is_silent(heartbeat: Moment | None, now: datetime | None = None) -> bool:
    """Tell whether a last heartbeat is so old that its worker is likely dead, though nobody noticed yet.

    Heartbeats are of Redis's clock. Without ``now``, the time by it, this machine's has to do.
    """
    limit = timedelta(seconds=max(SILENT_SECONDS, settings.dead_after_seconds))
    return bool(heartbeat and heartbeat.at and (now or datetime.now(UTC)) - heartbeat.at > limit)


def may_be_dead(heartbeat: Moment | None, now: datetime | None = None) -> bool:
    """Tell whether nothing says that a worker lives: it is silent, or never sent what can be read."""
    return not (heartbeat and heartbeat.at) or is_silent(heartbeat, now)


def read_current(reply: Any, key: str, complaints: list[str]) -> Current | None:
    """Read ``worker:<id>``; whatever stands there means that the worker has something."""
    value = or_else(None, reply, key, complaints)
    if value is None:
        return None
    if is_large(value):
        return Current(queue="", since=None, job=large_job(value))
    try:
        return _current(rubyjson.decode(value))
    except ValueError as error:
        complaints.append(f"What the worker is doing cannot be read: {error}.")
        return Current(queue="", since=None, job=SeenJob(raw=value, complaint="This text is not JSON."))


def _current(value: Any) -> Current:
    if not isinstance(value, dict):
        raise ValueError(f"{rubyjson.shown(value)} is no JSON object")
    run_at = value.get("run_at")
    return Current(
        queue=str(value.get("queue") or ""),
        since=Moment(text=str(run_at)[:60], at=moments.parse(str(run_at)[:60])) if run_at else None,
        job=read_fields(value.get("payload")),
    )
