"""Perform one ``async def`` job on the event loop of a worker and say how it ended."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import Signal

from jobqueue import coroutines, registry, signals
from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidArguments, InvalidPayload, UnknownJob
from jobqueue.interruption import Interrupts
from jobqueue.labels import label
from jobqueue.outcome import Kind, Origin, Outcome, conclude, failed
from jobqueue.payload import Job, decode
from jobqueue.store.delivery import Claimed

_log = logging.getLogger("jobqueue")


def definition_of(payload: bytes) -> tuple[Defined[..., Any], Job] | None:
    """Return the definition that a payload names, and its job; None if there is none."""
    try:
        job = decode(payload)
        return registry.get(job.name), job
    except (InvalidPayload, UnknownJob):
        return None


async def perform(
    definition: Defined[..., Any], job: Job, claimed: Claimed, worker_id: str, interrupts: Interrupts
) -> Outcome:
    """Perform a job that was claimed. Never raises: what the job raises is its failure."""
    try:
        definition.arity.check(job.name, job.args, job.kwargs)
    except InvalidArguments as error:
        return failed(Origin(claimed.payload, claimed.queue, worker_id), job, error.with_traceback(None))
    _log.debug("got: %s", label(job, claimed.queue))
    await _announce(signals.job_started, definition, job=job, queue=claimed.queue)
    raised = await _attempt(definition, job, interrupts)
    outcome = conclude(definition, job, claimed.payload, claimed.queue, worker_id, raised)
    if outcome.kind is Kind.DONE:
        _log.debug("done: %s", label(job, claimed.queue))
    await _announce(signals.job_finished, definition, job=job, queue=claimed.queue, outcome=outcome)
    return outcome


async def _attempt(definition: Defined[..., Any], job: Job, interrupts: Interrupts) -> BaseException | None:
    interrupts.open(definition.timeout)
    try:
        return await coroutines.attempt(definition, job, interrupts)
    except BaseException as error:
        return error
    finally:
        interrupts.close()
        interrupts.lift()
        interrupts.through(None)


async def _announce(signal: Signal, definition: Defined[..., Any], **told: Any) -> None:
    if signal.receivers:
        await signal.asend_robust(definition, **told)
