"""Make jobs of calls and bring them to Redis once the database transaction has committed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import msgspec

from jobqueue import databases, performing, registry, signals
from jobqueue.conf import settings
from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidArguments, NotReplicated, PayloadTooLarge, RedisUnreachable
from jobqueue.hooks import allow, announce
from jobqueue.ids import new_id, new_ids
from jobqueue.payload import Job, decode, encode
from jobqueue.store.pushing import MOST_PER_SCRIPT, push

Call = Sequence[Any] | Mapping[str, Any]
"""The arguments of one job: all positional, or all by keyword."""

_log = logging.getLogger("jobqueue")


class Prepared(msgspec.Struct, gc=False):
    """A job that may be enqueued, with its payload."""

    job: Job
    payload: bytes


class Collected(NamedTuple):
    """A job that a test collects instead of Redis."""

    queue: str
    job: Job


_collection: list[Collected] | None = None


@contextmanager
def collecting(into: list[Collected]) -> Iterator[None]:
    """Append what is enqueued, by any thread, to a list and touch no Redis; the innermost list counts."""
    global _collection
    outer, _collection = _collection, into
    try:
        yield
    finally:
        _collection = outer


def is_collecting() -> bool:
    """Tell whether a test collects what is enqueued."""
    return _collection is not None


def enqueue(definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Job | None:
    """Enqueue one job; None if it was vetoed. See ``Definition.enqueue``."""
    prepared = _prepare(definition, args, kwargs, None if definition.bare else new_id())
    if prepared is None:
        return None
    _deliver(definition, [prepared])
    return prepared.job


def enqueue_many(definition: Defined[..., Any], calls: Iterable[Call]) -> list[Job]:
    """Enqueue a job for each call. See ``Definition.enqueue_many``."""
    batch = []
    ids = repeat(None) if definition.bare else new_ids()
    for index, (call, id) in enumerate(zip(calls, ids, strict=False)):
        try:
            prepared = _prepare(definition, *_arguments(call), id)
        except (InvalidArguments, PayloadTooLarge) as error:
            raise type(error)(f"calls[{index}]: {error}") from error
        if prepared is not None:
            batch.append(prepared)
    _deliver(definition, batch)
    return [prepared.job for prepared in batch]


def deliver_raw(queue: str, payload: bytes) -> None:
    """Push a payload at once, exactly as it stands, whether or not this process knows its job."""
    if _collection is not None:
        _collection.append(Collected(queue, decode(payload)))
    elif settings.inline:
        performing.perform_inline(registry.get(decode(payload).name), payload, queue)
    else:
        push(queue, [payload])


def _prepare(
    definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], id: str | None
) -> Prepared | None:
    """Check a call and make its job; None if a hook says not to enqueue it."""
    definition.arity.check(definition.name, args, kwargs)
    job = Job(definition.name, list(args), dict(kwargs), id)
    payload = encode(job)
    hooks = definition.hooks.before_enqueue
    return Prepared(job, payload) if not hooks or allow(hooks, args, kwargs) else None


def _arguments(call: Any) -> tuple[Sequence[Any], Mapping[str, Any]]:
    if isinstance(call, Mapping):
        return (), call
    if isinstance(call, (tuple, list)):
        return call, {}
    raise InvalidArguments(
        f"{call!r} should be a tuple or list of positional, or a dict of keyword arguments; for one argument "
        f"({call!r},)."
    )


def _deliver(definition: Defined[..., Any], batch: Sequence[Prepared]) -> None:
    if _collection is not None:
        _collection.extend(Collected(definition.queue, prepared.job) for prepared in batch)
        _announce(definition, batch)
    elif settings.inline:
        for prepared in batch:
            performing.perform_inline(_registered(definition), prepared.payload, definition.queue)
        _announce(definition, batch)
    elif definition.on_commit and databases.in_transaction(definition.database):
        # No caller waits for the error then; it has been reported
        databases.on_commit(partial(_push, definition, batch), definition.database)
    elif error := _push(definition, batch):
        raise error


def _push(definition: Defined[..., Any], batch: Sequence[Prepared]) -> Exception | None:
    """Push a batch and announce what Redis has; report and return the error that stopped it, if any.

    Too few replicas stop nothing: the jobs are enqueued.
    """
    shortage: NotReplicated | None = None
    for start in range(0, len(batch), MOST_PER_SCRIPT):
        some = batch[start : start + MOST_PER_SCRIPT]
        try:
            push(definition.queue, [prepared.payload for prepared in some])
        except NotReplicated as error:
            _report_shortage(definition, [prepared.payload for prepared in some], error)
            shortage = error
        except Exception as error:
            _report(definition, [prepared.payload for prepared in batch[start:]], error)
            return error
        _announce(definition, some)
    return shortage


def _report(definition: Defined[..., Any], payloads: Sequence[bytes], error: Exception) -> None:
    """Leave what was not enqueued where a person finds it and can enqueue it by hand."""
    # Replayed without a look, a job that had arrived is performed twice
    is_unknown = isinstance(error, RedisUnreachable) and error.may_have_arrived
    for payload in payloads:
        _log.critical(
            "%s: %s To replay it, call jobqueue.push(queue, payload): queue=%r payload=%s",
            "enqueued or not, the answer is lost" if is_unknown else "not enqueued",
            error,
            definition.queue,
            payload.decode(),
        )
    signals.job_push_failed.send_robust(
        _registered(definition), queue=definition.queue, payloads=list(payloads), error=error
    )


def _report_shortage(definition: Defined[..., Any], payloads: Sequence[bytes], error: Exception) -> None:
    """Leave what a failover may lose where a person finds it; receivers of a signal may enqueue it again."""
    for payload in payloads:
        _log.critical(
            "enqueued, but a failover may lose it: %s To replay one that is lost, call "
            "jobqueue.push(queue, payload): queue=%r payload=%s",
            error,
            definition.queue,
            payload.decode(),
        )


def _announce(definition: Defined[..., Any], batch: Sequence[Prepared]) -> None:
    """Tell after_enqueue hooks and receivers of the signal; free where there are none."""
    receivers, hooks = signals.job_enqueued.receivers, definition.hooks.after_enqueue
    is_logged = _log.isEnabledFor(logging.DEBUG)
    if not (receivers or hooks or is_logged):
        return
    for job in (prepared.job for prepared in batch):
        if receivers:
            signals.job_enqueued.send_robust(_registered(definition), job=job, queue=definition.queue)
        if is_logged:
            _log.debug("enqueued: %s", performing.label(job, definition.queue))
        announce(hooks, job.args, job.kwargs)


def _registered(definition: Defined[..., Any]) -> Defined[..., Any]:
    """Return the definition that receivers connected to, of which this may be a copy."""
    return registry.get(definition.name)
