"""Perform one job and say how it ended. What a job raises never reaches the worker."""

from __future__ import annotations

import logging
import os
from typing import Any

from jobqueue import calling, connection, coroutines, databases, registry, signals
from jobqueue.arity import Arity
from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidArguments, InvalidPayload, UnknownJob
from jobqueue.interruption import Interrupts, interruption
from jobqueue.labels import label
from jobqueue.outcome import Kind, Origin, Outcome, conclude, failed
from jobqueue.payload import Job, decode

WARM_UP_ROUNDS = 100
"""Python has learned what there is to learn."""

_log = logging.getLogger("jobqueue")


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
        return failed(Origin(payload, queue, worker_id), job, error.with_traceback(None))
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
