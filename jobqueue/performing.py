"""Perform one job and say how it ended. What a job raises never reaches the worker."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple

import msgspec

from jobqueue import connection, databases, failure, registry, rubyjson, signals
from jobqueue.arity import Arity
from jobqueue.defined import Defined
from jobqueue.exceptions import (
    DontPerform,
    InvalidArguments,
    InvalidPayload,
    JobQueueError,
    JobTimeout,
    TermException,
    UnknownJob,
)
from jobqueue.hooks import NO_HOOKS, Hooks, announce
from jobqueue.interruption import Interrupts, interruption
from jobqueue.payload import Job, decode

WARM_UP_ROUNDS = 100
"""Python has learned what there is to learn."""

_log = logging.getLogger("jobqueue")


class Kind(Enum):
    """How a job ended."""

    DONE = auto()
    """It returned, or one of its hooks said not to perform it."""
    FAILED = auto()
    """It raised, or could not be called at all."""
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
    if raised is None:
        outcome = Outcome(Kind.DONE, job)
    elif _goes_back(raised):
        _log.warning("put back: %s was ended by %s", label(job, queue), raised)
        outcome = Outcome(Kind.PUT_BACK, job, error=raised)
    else:
        outcome = _failed(_Claimed(payload, queue, worker_id), job, raised)
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
    """Call a job's function among its hooks; what it raises propagates after the on_failure hooks."""
    hooks = definition.hooks
    if hooks is NO_HOOKS:
        definition.function(*job.args, **job.kwargs)
        return
    try:
        _run_among_hooks(hooks, definition.function, job)
    except BaseException as error:
        if not _goes_back(error):
            _run_on_failure(hooks, job, error)
        raise


def label(job: Job | None, queue: str, payload: bytes = b"") -> str:
    """Return how log lines and messages name a job: ``(Job{emails} | Emailer | ["a@example.com"] | id)``."""
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
            run(definition, job)
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
        return JobQueueError(
            f"{job.name} left a transaction open on the database {left_open[0]!r}, which was rolled back. "
            "Leave every transaction.atomic() block that a job enters."
        )
    return error


def _goes_back(error: BaseException) -> bool:
    """Tell whether the job is not to blame for what it raised: its worker had to end it."""
    return isinstance(error, TermException) and error.goes_back


def _run_among_hooks(hooks: Hooks, function: Callable[..., Any], job: Job) -> None:
    """Nest the around-hooks, the first one outermost; the after-hooks run even if none calls the job."""
    args, kwargs = job.args, job.kwargs
    try:
        announce(hooks.before_perform, args, kwargs)
    except DontPerform:
        return
    inner = partial(function, *args, **kwargs)
    for around in reversed(hooks.around_perform):
        inner = partial(around, inner, *args, **kwargs)
    inner()
    announce(hooks.after_perform, args, kwargs)


def _run_on_failure(hooks: Hooks, job: Job, error: BaseException) -> None:
    try:
        announce(hooks.on_failure, [error, *job.args], job.kwargs)
    except (JobTimeout, TermException):
        raise
    except BaseException as another:
        text = (
            f"Additional error ({_brief(another)}) occurred in running failure hooks for job "
            f"{job.name} {rubyjson.shown(job.args)}\nThe error before it, of the job itself: {_brief(error)}"
        )
        raise RuntimeError(text).with_traceback(another.__traceback__) from error


def _brief(error: BaseException) -> str:
    kind, message, _ = failure.describe(error)
    return f"{kind}: {message}"


def _failed(claimed: _Claimed, job: Job | None, error: BaseException) -> Outcome:
    payload, queue, worker_id = claimed
    _log.error("failed: %s", label(job, queue, payload), exc_info=error)
    exception, message, backtrace = failure.describe(error)
    entry = failure.entry(
        payload, exception=exception, error=message, backtrace=backtrace, worker=worker_id, queue=queue
    )
    return Outcome(Kind.FAILED, job, entry, error)
