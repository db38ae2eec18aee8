"""How a job ended, and what there is to write of it."""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any, NamedTuple

import msgspec

from jobqueue import calling, failure, retrying
from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidPayload, Retry
from jobqueue.labels import label
from jobqueue.payload import Job
from jobqueue.recovery import Ending
from jobqueue.retrying import Later

_log = logging.getLogger("jobqueue")


class Kind(Enum):
    """How a job ended."""

    DONE = auto()
    """It returned, or one of its hooks said not to perform it."""
    FAILED = auto()
    """It raised, or could not be called at all."""
    RETRY = auto()
    """It raised, and waits to be tried again."""
    PUT_BACK = auto()
    """Its worker had to end it, and it waits in its queue again."""


class Outcome(msgspec.Struct, frozen=True):
    """How a job ended, and what there is to write of it."""

    kind: Kind
    job: Job | None = None
    """None if the payload is no job."""
    failure: bytes | None = None
    """The entry for the Failed list."""
    error: BaseException | None = None
    later: Later | None = None
    """What waits to be tried again."""

    def ending(self, token: int) -> Ending:
        """Return what becomes of the job in Redis, where it is in flight with this token."""
        if self.later is not None:
            return Ending(token, "later", *self.later)
        if self.failure is not None:
            return Ending(token, "failed", self.failure)
        return Ending(token, "done" if self.error is None else "back")


class Origin(NamedTuple):
    """Where a payload came from, and who has it."""

    payload: bytes
    queue: str
    worker_id: str


def conclude(
    definition: Defined[..., Any],
    job: Job,
    payload: bytes,
    queue: str,
    worker_id: str,
    raised: BaseException | None,
) -> Outcome:
    """Say how a job ended that has raised something, or nothing."""
    if raised is None:
        return Outcome(Kind.DONE, job)
    if calling.goes_back(raised):
        _log.warning("put back: %s was ended by %s", label(job, queue), raised)
        return Outcome(Kind.PUT_BACK, job, error=raised)
    origin = Origin(payload, queue, worker_id)
    return _retry(definition, origin, job, raised) or failed(origin, job, raised)


def failed(origin: Origin, job: Job | None, error: BaseException) -> Outcome:
    """Say that a job has failed; ``job`` is None if its payload is no job."""
    payload, queue, worker_id = origin
    _log.error("failed: %s", label(job, queue, payload), exc_info=error)
    exception, message, backtrace = failure.describe(retrying.reason(error))
    entry = failure.entry(
        payload, exception=exception, error=message, backtrace=backtrace, worker=worker_id, queue=queue
    )
    return Outcome(Kind.FAILED, job, entry, error)


def _retry(definition: Defined[..., Any], origin: Origin, job: Job, error: BaseException) -> Outcome | None:
    """Let a job wait for its next attempt; None if it is to have none."""
    seconds = retrying.decide(definition.retry_policy, job, error)
    if seconds is None:
        return None
    exception, message, _ = failure.describe(retrying.reason(error))
    try:
        later = retrying.later(origin.payload, origin.queue, job, seconds, exception, message)
    except InvalidPayload as refusal:
        _log.error("cannot be tried again: %s: %s", label(job, origin.queue), refusal)
        return None
    _tell_of_retry(label(job, origin.queue), job.attempt, seconds, error)
    return Outcome(Kind.RETRY, job, error=error, later=later)


def _tell_of_retry(what: str, attempt: int, seconds: float, error: BaseException) -> None:
    pause = round(seconds, 1)
    if isinstance(retrying.reason(error), Retry):
        # Nothing went wrong: it just asked
        _log.info("tried again in %g s: %s asked for it in attempt %d", pause, what, attempt)
    else:
        _log.warning("tried again in %g s: %s failed in attempt %d", pause, what, attempt, exc_info=error)
