"""A payload as a page shows it: readable even if it is no job at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobqueue import payload
from jobqueue.attempts import Attempt
from jobqueue.conf import settings
from jobqueue.exceptions import InvalidPayload

_NAME = re.compile(rb'"class": ?"([^"\\]{1,500})"')
_NAME_WITHIN_BYTES = 4_096

ACTIVE_JOB = "ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenJob:
    """What could be read of a payload; ``complaint`` says why, if it is no job."""

    raw: bytes = b""
    name: str = ""
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    enqueued_at: datetime | None = None
    crashes: int = 0
    retry_of: str | None = None
    attempts: tuple[Attempt, ...] = ()
    """Those that failed, the newest of them."""
    attempt: int = 1
    """The number of the one that comes next, or is under way, or came last."""
    via_active_job: bool = False
    complaint: str = ""
    is_large: bool = False
    """It is larger than what a page reads: its name may be known, its arguments are not."""

    @property
    def first_attempt(self) -> int:
        """The number of the first attempt that is known."""
        return self.attempt - len(self.attempts)

    @property
    def attempts_failed(self) -> int:
        """How many have failed."""
        return self.attempt - 1

    @property
    def size_bytes(self) -> int:
        return len(self.raw)


def is_large(raw: bytes) -> bool:
    """Tell whether a text is larger than what a page reads: no job of ours, nor its failure, should be.

    A text of some megabytes can hold millions of values, and a page shows the beginning of many texts.
    """
    return len(raw) > 2 * settings.max_payload_bytes


def large_job(raw: bytes) -> SeenJob:
    """Return what is known of a large text without reading it."""
    name = _NAME.search(raw, 0, _NAME_WITHIN_BYTES)
    return SeenJob(raw=raw, is_large=True, name=name[1].decode("utf-8", "backslashreplace") if name else "")


def read_job(raw: bytes) -> SeenJob:
    """Read a payload of ours or of Ruby's; never raises."""
    if is_large(raw):
        return large_job(raw)
    try:
        return seen(payload.decode(raw), raw)
    except InvalidPayload as error:
        return SeenJob(raw=raw, complaint=str(error))


def read_fields(fields: Any) -> SeenJob:
    """Read a payload that stood as an object inside another JSON text; never raises."""
    try:
        return seen(payload.read(fields))
    except InvalidPayload as error:
        return SeenJob(complaint=str(error))


def seen(job: payload.Job, raw: bytes = b"") -> SeenJob:
    """Return a job as a page shows it."""
    name, via_active_job = _shown_name(job.name, job.args)
    return SeenJob(
        raw=raw,
        name=name,
        args=job.args,
        kwargs=job.kwargs,
        id=job.id,
        enqueued_at=job.enqueued_at,
        crashes=job.crashes,
        retry_of=job.retry_of,
        attempts=job.attempts,
        attempt=job.attempt,
        via_active_job=via_active_job,
    )


def _shown_name(name: str, args: list[Any]) -> tuple[str, bool]:
    """Rails wraps its jobs in one class; the job that is meant stands in its argument."""
    if (
        name == ACTIVE_JOB
        and args
        and isinstance(args[0], dict)
        and isinstance(args[0].get("job_class"), str)
    ):
        return args[0]["job_class"], True
    return name, False
