"""How log lines and messages name a job."""

from __future__ import annotations

from jobqueue import rubyjson
from jobqueue.exceptions import InvalidPayload
from jobqueue.payload import Job, decode


def label(job: Job | None, queue: str, payload: bytes = b"") -> str:
    """Return the label of a job: ``(Job{emails} | Emailer | ["a@example.com"] | id)``."""
    if job is None:
        return f"(Job{{{queue}}} | {rubyjson.shown(payload)})"
    kwargs = f" | {rubyjson.shown(job.kwargs)}" if job.kwargs else ""
    id = f" | {job.id}" if job.id else ""
    return f"(Job{{{queue}}} | {job.name} | {rubyjson.shown(job.args)}{kwargs}{id})"


def label_of(queue: str, payload: bytes) -> str:
    """Return the label of a payload that may be no job."""
    try:
        return label(decode(payload), queue)
    except InvalidPayload:
        return label(None, queue, payload)
