"""Make jobs of calls and bring them to Redis once the database transaction has committed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

import msgspec

from jobqueue import collection, databases, duetime, performing, pushreport, registry, signals, unique
from jobqueue.conf import settings
from jobqueue.defined import Defined
from jobqueue.exceptions import AlreadyEnqueued, InvalidArguments, NotReplicated, PayloadTooLarge
from jobqueue.hooks import allow, announce
from jobqueue.ids import new_id, new_ids
from jobqueue.labels import label
from jobqueue.locks import lock_of
from jobqueue.payload import Job, decode, encode
from jobqueue.store.delayed import delay, delay_bare
from jobqueue.store.pushing import MOST_PER_SCRIPT, push

Call = Sequence[Any] | Mapping[str, Any]
"""The arguments of one job: all positional, or all by keyword."""

_log = logging.getLogger("jobqueue")


class Prepared(msgspec.Struct, gc=False):
    """A job that may be enqueued, with its payload."""

    job: Job
    payload: bytes


def enqueue(
    definition: Defined[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    moment_ms: int | None = None,
) -> Job | None:
    """Enqueue one job, or delay it until a moment; None if it was vetoed. See ``Definition.enqueue``."""
    if definition.unique is not None and moment_ms is None:
        moment_ms = unique.moment_ms(definition)
    hooks = definition.hooks.before_schedule if duetime.ahead(moment_ms) else ()
    if hooks and not allow(hooks, args, kwargs):
        return None
    prepared = _prepare(definition, args, kwargs, None if definition.bare else new_id())
    if prepared is None:
        return None
    _deliver(definition, [prepared], moment_ms)
    return prepared.job


def enqueue_many(definition: Defined[..., Any], calls: Iterable[Call]) -> list[Job]:
    """Enqueue a job for each call. See ``Definition.enqueue_many``."""
    batch = []
    ids = repeat(None) if definition.bare else new_ids()
    hooks = () if definition.debounce is None else definition.hooks.before_schedule
    for index, (call, id) in enumerate(zip(calls, ids, strict=False)):
        try:
            args, kwargs = _arguments(call)
            is_vetoed = hooks and not allow(hooks, args, kwargs)
            prepared = None if is_vetoed else _prepare(definition, args, kwargs, id)
        except (InvalidArguments, PayloadTooLarge) as error:
            raise type(error)(f"calls[{index}]: {error}") from error
        if prepared is not None:
            batch.append(prepared)
    _deliver(definition, batch, unique.moment_ms(definition))
    return [prepared.job for prepared in batch]


def deliver_raw(queue: str, payload: bytes, moment_ms: int | None = None) -> None:
    """Push or delay a payload, exactly as it stands, whether or not this process knows its job."""
    if (jobs := collection.current()) is not None:
        jobs.add(queue, decode(payload), moment_ms)
    elif settings.inline:
        performing.perform_inline(registry.get(decode(payload).name), payload, queue)
    elif lock := lock_of(payload):
        unique.put_raw(queue, payload, lock, moment_ms)
    else:
        _put(queue, [payload], moment_ms, bare=decode(payload).id is None)


def _prepare(
    definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], id: str | None
) -> Prepared | None:
    """Check a call and make its job; None if a hook says not to enqueue it."""
    definition.arity.check(definition.name, args, kwargs)
    job = Job(definition.name, list(args), dict(kwargs), id)
    if definition.unique is not None:
        job = msgspec.structs.replace(job, unique=unique.lock_field(definition, args, kwargs))
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


def _deliver(definition: Defined[..., Any], batch: Sequence[Prepared], moment_ms: int | None = None) -> None:
    if (jobs := collection.current()) is not None:
        for prepared in batch:
            jobs.add(definition.queue, prepared.job, moment_ms)
        _announce(definition, batch, moment_ms)
    elif settings.inline:
        for prepared in batch:
            performing.perform_inline(_registered(definition), prepared.payload, definition.queue)
        _announce(definition, batch, None)
    elif definition.on_commit and databases.in_transaction(definition.database):
        # No caller waits for the error then; it has been reported
        databases.on_commit(partial(_push_at_commit, definition, batch, moment_ms), definition.database)
    elif error := _push(definition, batch, moment_ms):
        raise error


def _push_at_commit(definition: Defined[..., Any], batch: Sequence[Prepared], moment_ms: int | None) -> None:
    error = _push(definition, batch, moment_ms)
    if isinstance(error, AlreadyEnqueued):
        _log.warning("not enqueued at the commit: %s", error)


def _push(
    definition: Defined[..., Any], batch: Sequence[Prepared], moment_ms: int | None
) -> Exception | None:
    """Push or delay a batch and announce what Redis has; report and return the error that stopped it, if any.

    Too few replicas stop nothing: the jobs are enqueued.
    """
    shortage: NotReplicated | None = None
    for start in range(0, len(batch), MOST_PER_SCRIPT):
        some = batch[start : start + MOST_PER_SCRIPT]
        try:
            if definition.unique is None:
                _put(definition.queue, [each.payload for each in some], moment_ms, bare=definition.bare)
            else:
                pairs = [(each.job, each.payload) for each in some]
                some = _let_in(definition, some, unique.put(definition, pairs, moment_ms))
        except AlreadyEnqueued as error:
            return error
        except NotReplicated as error:
            some = some if definition.unique is None else _let_in(definition, some, error.answers)
            pushreport.may_be_lost(definition, [each.payload for each in some], moment_ms, error)
            shortage = error
        except Exception as error:
            pushreport.not_enqueued(definition, [each.payload for each in batch[start:]], moment_ms, error)
            return error
        _announce(definition, some, moment_ms)
    return shortage


def _put(queue: str, payloads: Sequence[bytes], moment_ms: int | None, *, bare: bool) -> None:
    """Push payloads, or delay them; what is due by now is pushed, as in Resque."""
    moment = duetime.ahead(moment_ms)
    if moment is None:
        push(queue, payloads)
    elif bare:
        delay_bare(queue, payloads, moment)
    else:
        delay(queue, payloads, moment)


def _let_in(
    definition: Defined[..., Any], batch: Sequence[Prepared], holders: Sequence[str]
) -> list[Prepared]:
    """Return the unique jobs that were let in, and let the others be what was there."""
    let_in = []
    for prepared, holder in zip(batch, holders, strict=True):
        if holder:
            _log.debug("equal to %s: %s", holder, label(prepared.job, definition.queue))
            prepared.job = msgspec.structs.replace(prepared.job, id=holder)
        else:
            let_in.append(prepared)
    return let_in


def _announce(definition: Defined[..., Any], batch: Sequence[Prepared], moment_ms: int | None) -> None:
    """Tell after-hooks and receivers of the signal; free where there are none."""
    receivers, hooks = signals.job_enqueued.receivers, definition.hooks.after_enqueue
    # None for nearly all: a call would cost each of them
    moment = moment_ms and duetime.ahead(moment_ms)
    at = duetime.as_datetime(moment) if moment else None
    if at:
        hooks += definition.hooks.after_schedule
    is_logged = _log.isEnabledFor(logging.DEBUG)
    if not (receivers or hooks or is_logged):
        return
    for job in (prepared.job for prepared in batch):
        if receivers:
            signals.job_enqueued.send_robust(_registered(definition), job=job, queue=definition.queue, at=at)
        if is_logged:
            _log.debug("%s: %s", f"delayed until {at}" if at else "enqueued", label(job, definition.queue))
        announce(hooks, job.args, job.kwargs)


def _registered(definition: Defined[..., Any]) -> Defined[..., Any]:
    """Return the definition that receivers connected to, of which this may be a copy."""
    return registry.get(definition.name)
