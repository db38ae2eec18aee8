"""What Ruby's pruner does with dead workers, word for word: pure texts and decisions."""

from __future__ import annotations

from typing import Any, NamedTuple

from jobqueue import failure, rubyjson
from jobqueue.failure import Failure
from jobqueue.inspection import moments
from jobqueue.keys import to_text

PRUNE_AFTER_SECONDS = 300.0
"""Resque's prune_interval: its workers send a heartbeat every minute."""
PRUNED = "Resque::PruneDeadWorkerDirtyExit"
UNREGISTERED = "Resque::DirtyExit"
CLOCKS_DIFFER_SECONDS = 60.0
"""Failures have the time of a machine, heartbeats that of Redis."""


class Work(NamedTuple):
    """What a worker was doing, as ``worker:<id>`` tells."""

    name: str
    queue: str
    payload: bytes


def is_expired(heartbeat: bytes, now: float) -> bool:
    """Tell whether a worker that sent this last is dead for Ruby; ``now`` in seconds by Redis's clock.

    What cannot be read as a time says nothing.
    """
    at = moments.parse(to_text(heartbeat[:60]))
    return at is not None and now - at.timestamp() > PRUNE_AFTER_SECONDS


def read_work(shown: bytes) -> Work:
    """Read ``worker:<id>``; of what nobody can read, all is taken for the payload, so that it is kept."""
    try:
        fields = rubyjson.decode(shown)
    except ValueError:
        return Work("", "", shown)
    payload = fields.get("payload") if isinstance(fields, dict) else None
    if not isinstance(payload, dict):
        return Work("", "", shown)
    name, queue = payload.get("class"), fields.get("queue")
    return Work(
        name if isinstance(name, str) else "",
        queue if isinstance(queue, str) else "",
        _payload_text(shown, payload) or shown,
    )


def _payload_text(shown: bytes, payload: dict[str, Any]) -> bytes:
    """Return the payload as it is spelled there, where it comes last, as everybody writes it."""
    text = shown.strip().partition(b'"payload":')[2].removesuffix(b"}")
    try:
        return text if rubyjson.decode(text) == payload else b""
    except ValueError:
        return b""


def expired_entry(shown: bytes, worker_id: str) -> bytes:
    """Return the failure of what a worker was doing whose heartbeats ended."""
    work = read_work(shown)
    job = work.name or "<Unknown Job>"
    return _entry(
        work, worker_id, PRUNED, f"Worker {worker_id} did not gracefully exit while processing {job}"
    )


def unregistered_entry(shown: bytes, worker_id: str) -> bytes:
    """Return the failure of what a worker was doing that is unregistered by hand."""
    return _entry(read_work(shown), worker_id, UNREGISTERED, "Job still being processed")


def _entry(work: Work, worker_id: str, exception: str, error: str) -> bytes:
    return failure.entry(
        work.payload, exception=exception, error=error, backtrace=[], worker=worker_id, queue=work.queue
    )


def has_failed(entry: bytes, payload: bytes, worker_id: str, alive_at: float) -> bool:
    """Tell whether Ruby wrote this failure, of that job in that worker, when it took it for dead.

    Ruby spells the payload anew, so that its meaning is compared. A failure from before ``alive_at``, when
    the worker was last known to live (seconds since the epoch), is of an earlier job that looks the same.
    """
    if b'"Resque::' not in entry:
        return False
    seen = Failure.parse(entry)
    if seen.exception not in (PRUNED, UNREGISTERED) or seen.worker != worker_id:
        return False
    failed_at = moments.parse(seen.failed_at)
    is_later = failed_at is not None and failed_at.timestamp() >= alive_at - CLOCKS_DIFFER_SECONDS
    # Parsed, the entry is an object: what it holds was shown by the worker itself
    return is_later and rubyjson.decode(entry).get("payload") == rubyjson.decode(failure.embedded(payload))
