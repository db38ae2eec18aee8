"""Perform one job and say how it ended. What a job raises never reaches the worker."""

from __future__ import annotations

import logging
import os
from enum import Enum, auto
from typing import Any, NamedTuple

import msgspec

from jobqueue import (
    calling,
    connection,
    coroutines,
    databases,
    failure,
    registry,
    retrying,
    signals,
)
from jobqueue.arity import Arity
from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidArguments, InvalidPayload, UnknownJob
from jobqueue.interruption import Interrupts, interruption
from jobqueue.labels import label
from jobqueue.payload import Job, decode
from jobqueue.retrying import Later

WARM_UP_ROUNDS = 100
"""Python has learned what there is to learn."""

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


class _Claimed(NamedTuple):
    """Where a payload came from, and who has it."""

    payload: bytes
    queue: str
    worker_id: str


def perform(payload: bytes, queue: str, worker_id: str, interrupts: Interrupts = interruption) -> Outcome:
    """Perform the job of a payload that was claimed from a queue.

    ``interrupts`` is the way in which the job can be ended.

    Never raises: what the job raises, KeyboardInterrupt and SystemExit too, is its failure.
    A process that the job forked and that comes back here ends at once.
    """
    job = None
    try:
        job = decode(payload)
        definition = registry.get(job.name)
        definition.arity.check(job.name, job.args, job.kwargs)
    except (InvalidPayload, UnknownJob, InvalidArguments) as error:
        # No line of the job itself is to blame
        return _failed(_Claimed(payload, queue, worker_id), job, error.with_traceback(None))
    # Looked at here, because it is rare that anybody listens, and calls are what most of a small job costs
    if signals.job_started.receivers or _log.isEnabledFor(logging.DEBUG):
        _announce_start(definition, job, queue)
    raised = _attempt(definition, job, interrupts)
    outcome = conclude(definition, job, payload, queue, worker_id, raised)
    if signals.job_finished.receivers or _log.isEnabledFor(logging.DEBUG):
        _announce_end(definition, job, queue, outcome)
    return outcome


def warm_up() -> None:
    """Go through the steps of a job, before processes are forked that perform one job each.

    Python learns in its code objects what runs often. What it has learned before a fork, no child writes
    into pages of its own.
    """
    definition = Defined(name="", function=_do_nothing, place="", arity=Arity.of(_do_nothing))
    text = b'{"class":"","args":[]}'
    for _ in range(WARM_UP_ROUNDS):
        _log.isEnabledFor(logging.DEBUG)
        job = decode(text)
        definition.arity.check(job.name, job.args, job.kwargs)
        _attempt(definition, job, interruption)


def perform_inline(definition: Defined[..., Any], payload: bytes, queue: str) -> None:
    """Perform a job in the process and transaction that enqueues it; what it raises propagates."""
    job = decode(payload)
    _announce_start(definition, job, queue)
    try:
        run(definition, job)
    except BaseException as error:
        _announce_end(definition, job, queue, Outcome(Kind.FAILED, job, error=error))
        raise
    _announce_end(definition, job, queue, Outcome(Kind.DONE, job))


def run(definition: Defined[..., Any], job: Job) -> None:
    """Call a job's function among its hooks, in the process that enqueues it; what it raises propagates."""
    if definition.is_async:
        coroutines.call_inline(definition, job)
    else:
        calling.call(definition, job)


def definition_of(payload: bytes) -> tuple[Defined[..., Any], Job] | None:
    """Return the definition that a payload names, and its job; None if there is none."""
    try:
        job = decode(payload)
        return registry.get(job.name), job
    except (InvalidPayload, UnknownJob):
        return None


def refuse(
    definition: Defined[..., Any], job: Job, payload: bytes, queue: str, worker_id: str
) -> Outcome | None:
    """Return the failure of a job whose arguments its function does not take; else None."""
    try:
        definition.arity.check(job.name, job.args, job.kwargs)
    except InvalidArguments as error:
        return _failed(_Claimed(payload, queue, worker_id), job, error.with_traceback(None))
    return None


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
    claimed = _Claimed(payload, queue, worker_id)
    return _retry(definition, claimed, job, raised) or _failed(claimed, job, raised)


def _do_nothing() -> None:
    pass


def _announce_start(definition: Defined[..., Any], job: Job, queue: str) -> None:
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("got: %s", label(job, queue))
    if signals.job_started.receivers:
        signals.job_started.send_robust(definition, job=job, queue=queue)


def _announce_end(definition: Defined[..., Any], job: Job, queue: str, outcome: Outcome) -> None:
    if outcome.kind is Kind.DONE and _log.isEnabledFor(logging.DEBUG):
        _log.debug("done: %s", label(job, queue))
    if signals.job_finished.receivers:
        signals.job_finished.send_robust(definition, job=job, queue=queue, outcome=outcome)


def _attempt(definition: Defined[..., Any], job: Job, interrupts: Interrupts) -> BaseException | None:
    """Run a job between two checks of the database connections; return what went wrong."""
    process = os.getpid()
    outer = databases.before_job()
    error: BaseException | None = None
    try:
        try:
            interrupts.open(definition.timeout)
            if definition.is_async:
                coroutines.call(definition, job, interrupts)
            else:
                calling.call(definition, job)
        finally:
            interrupts.close()
    except BaseException as raised:
        error = raised
    if os.getpid() != process:
        os._exit(0 if error is None else 1)
    was_interrupted = interrupts.lift()
    if was_interrupted:
        # Half an exchange with Redis may be under way on any connection that the job used
        connection.disconnect()
    left_open = databases.after_job(outer, was_interrupted=was_interrupted)
    if left_open and error is None:
        return databases.left_open_error(job.name, left_open)
    return error


def _retry(
    definition: Defined[..., Any], claimed: _Claimed, job: Job, error: BaseException
) -> Outcome | None:
    """Let a job wait for its next attempt; None if it is to have none."""
    seconds = retrying.decide(definition.retry_policy, job, error)
    if seconds is None:
        return None
    exception, message, _ = failure.describe(retrying.reason(error))
    try:
        later = retrying.later(claimed.payload, claimed.queue, job, seconds, exception, message)
    except InvalidPayload as refusal:
        _log.error("cannot be tried again: %s: %s", label(job, claimed.queue), refusal)
        return None
    _log.warning(
        "tried again in %g s: %s failed in attempt %d",
        round(seconds, 1),
        label(job, claimed.queue),
        job.attempt,
        exc_info=error,
    )
    return Outcome(Kind.RETRY, job, error=error, later=later)


def _failed(claimed: _Claimed, job: Job | None, error: BaseException) -> Outcome:
    payload, queue, worker_id = claimed
    _log.error("failed: %s", label(job, queue, payload), exc_info=error)
    exception, message, backtrace = failure.describe(retrying.reason(error))
    entry = failure.entry(
        payload, exception=exception, error=message, backtrace=backtrace, worker=worker_id, queue=queue
    )
    return Outcome(Kind.FAILED, job, entry, error)
