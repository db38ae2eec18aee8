"""Which jobs of a unique definition are equal, and what becomes of one that meets its equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobqueue import duetime, locks, rubyjson
from jobqueue.arity import Arity
from jobqueue.defined import Defined
from jobqueue.exceptions import AlreadyEnqueued, NotReplicated
from jobqueue.locks import Lock
from jobqueue.pause import pause_seconds
from jobqueue.payload import Job
from jobqueue.store import locks as store
from jobqueue.store.locks import Candidate, Mode

LONGEST_DEBOUNCES = 10
"""A job that is called again and again begins at last after so many times its debounce."""

_UNTIL = {"queued": "queued", "until_done": "done"}


def lock_field(definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return what stands in the payload of a unique job: which lock it has, and until when.

    Raises InvalidArguments if the definition's ``unique_by`` does not take these arguments, or does not
    return a JSON value; what it raises itself propagates.
    """
    identity = _identity(definition, args, kwargs)
    rubyjson.check(identity, f"unique_by of {definition.name}" if definition.unique_by else "args")
    return locks.field(_UNTIL[definition.unique or "queued"], locks.digest(definition.name, identity))


def moment_ms(definition: Defined[..., Any]) -> int | None:
    """Return until when a job that is called now waits for further calls, in ms since the epoch."""
    return None if definition.debounce is None else duetime.after(definition.debounce)


def put(definition: Defined[..., Any], jobs: Sequence[tuple[Job, bytes]], moment_ms: int | None) -> list[str]:
    """Enqueue or delay unique jobs with their payloads, each unless an equal one holds its lock.

    Returns for each the id of that job, "" if there was none. Raises AlreadyEnqueued where the definition
    wants it; else as ``store.locks.enqueue``.
    """
    try:
        holders = _put(definition, jobs, moment_ms)
    except NotReplicated as error:
        _refuse_if_any(definition, jobs, error.answers)
        raise
    _refuse_if_any(definition, jobs, holders)
    return holders


def _put(
    definition: Defined[..., Any], jobs: Sequence[tuple[Job, bytes]], moment_ms: int | None
) -> list[str]:
    candidates = [Candidate(_digest(job), job.id or "", payload) for job, payload in jobs]
    moment = duetime.ahead(moment_ms)
    if moment is None:
        return store.enqueue(definition.queue, candidates, definition.on_conflict)
    mode, longest_ms = _mode(definition)
    return store.delay(definition.queue, candidates, moment, mode, longest_ms)


def _refuse_if_any(
    definition: Defined[..., Any], jobs: Sequence[tuple[Job, bytes]], holders: Sequence[str]
) -> None:
    """Raise AlreadyEnqueued if the definition wants that, and some of these jobs were not let in."""
    if definition.on_conflict == "raise" and any(holders):
        own = {job.id for job, _ in jobs}
        raise AlreadyEnqueued(definition.name, next((id for id in holders if id and id not in own), ""))


def put_raw(queue: str, payload: bytes, lock: Lock, moment_ms: int | None) -> None:
    """Enqueue or delay the payload of a unique job, as it stands, unless an equal job holds its lock."""
    candidate = Candidate(lock.digest, lock.id, payload)
    moment = duetime.ahead(moment_ms)
    if moment is None:
        store.enqueue(queue, [candidate], "drop")
    else:
        store.delay(queue, [candidate], moment, "drop")


def _digest(job: Job) -> str:
    return (job.unique or "").partition(":")[2]


def _mode(definition: Defined[..., Any]) -> tuple[Mode, int]:
    if definition.debounce is None:
        return definition.on_conflict, 0
    return "debounce", round(LONGEST_DEBOUNCES * pause_seconds(definition.debounce) * 1000)


def _identity(definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    if definition.unique_by is None:
        return _bound(definition.arity, args, kwargs)
    Arity.of(definition.unique_by).check(f"unique_by of {definition.name}", args, kwargs)
    chosen = definition.unique_by(*args, **kwargs)
    return list(chosen) if isinstance(chosen, tuple) else chosen


def _bound(arity: Arity, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return the arguments by their parameters: however they were passed, equal calls are equal.

    One that is passed as its default is the same as one that is left out.
    """
    if arity.signature is None:
        return [list(args), dict(kwargs)]
    bound = arity.signature.bind(*args, **kwargs).arguments
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in bound.items()}
    defaults = {name: parameter.default for name, parameter in arity.signature.parameters.items()}
    return {name: value for name, value in found.items() if not _is(value, defaults[name])}


def _is(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
