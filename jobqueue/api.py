"""The functions at the root of the package, for code that holds a class, a name or a payload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from jobqueue import delayedjobs, dequeueing, duetime, enqueueing, payload, rubyjson
from jobqueue.definition import Definition
from jobqueue.delayedjobs import DelayedJobs
from jobqueue.exceptions import InvalidArguments, InvalidPayload
from jobqueue.inspection import queues as waiting
from jobqueue.pause import Pause
from jobqueue.payload import Job
from jobqueue.registry import resolve

Target = Definition[..., Any] | type | str
"""A job definition, a class that is one, or its registered name."""


def enqueue(definition: Target, /, *args: Any, **kwargs: Any) -> Job | None:
    """Enqueue one job; see ``Definition.enqueue``."""
    return enqueueing.enqueue(resolve(definition), args, kwargs)


def enqueue_to(queue: str, definition: Target, /, *args: Any, **kwargs: Any) -> Job | None:
    """Enqueue one job to another queue than its definition's."""
    return enqueueing.enqueue(resolve(definition).using(queue=queue), args, kwargs)


def enqueue_in(delay: Pause, definition: Target, /, *args: Any, **kwargs: Any) -> Job | None:
    """Enqueue one job so many seconds, or a timedelta, from now; see ``Definition.enqueue_in``."""
    return enqueueing.enqueue(resolve(definition), args, kwargs, duetime.after(delay))


def enqueue_at(moment: datetime, definition: Target, /, *args: Any, **kwargs: Any) -> Job | None:
    """Enqueue one job at a moment; see ``Definition.enqueue_at``."""
    return enqueueing.enqueue(resolve(definition), args, kwargs, duetime.at(moment))


def enqueue_in_to(queue: str, delay: Pause, definition: Target, /, *args: Any, **kwargs: Any) -> Job | None:
    """Enqueue one job to another queue than its definition's, so many seconds, or a timedelta, from now."""
    return enqueueing.enqueue(resolve(definition).using(queue=queue), args, kwargs, duetime.after(delay))


def enqueue_at_to(
    queue: str, moment: datetime, definition: Target, /, *args: Any, **kwargs: Any
) -> Job | None:
    """Enqueue one job to another queue than its definition's, at a moment."""
    return enqueueing.enqueue(resolve(definition).using(queue=queue), args, kwargs, duetime.at(moment))


def delay_or_enqueue_in(delay: Pause, definition: Target, /, *args: Any, **kwargs: Any) -> None:
    """Let delayed jobs wait so long from now, or delay one; see ``Definition.delay_or_enqueue_in``."""
    delayedjobs.delay_or_enqueue(resolve(definition), duetime.after(delay), args, kwargs)


def delay_or_enqueue_at(moment: datetime, definition: Target, /, *args: Any, **kwargs: Any) -> None:
    """Let delayed jobs wait for a moment, or delay one; see ``Definition.delay_or_enqueue_in``."""
    delayedjobs.delay_or_enqueue(resolve(definition), duetime.at(moment), args, kwargs)


def delayed_jobs(definition: Target | None = None) -> DelayedJobs:
    """Return the delayed jobs, all or those of one definition, to look at, choose from, and change.

    A name need not be that of a definition of this site: it may be a class of Ruby's.
    """
    if definition is None or isinstance(definition, str):
        return DelayedJobs(name=definition)
    return DelayedJobs(name=resolve(definition).name)


def enqueue_many(definition: Target, calls: Iterable[enqueueing.Call]) -> list[Job]:
    """Enqueue a job for each call, 1,000 in one round trip; see ``Definition.enqueue_many``."""
    return enqueueing.enqueue_many(resolve(definition), calls)


def push(queue: str, job: Mapping[str, Any] | str | bytes, *, at: datetime | None = None) -> None:
    """Enqueue a raw payload at once, or delay it, as from a process without the code of the job.

    A mapping with ``class`` and ``args`` is written as Ruby writes it; a text, such as one from a log
    line, is pushed exactly as it stands. ``at`` delays it until a moment; without an id it waits where Ruby's
    jobs do. Raises InvalidPayload or InvalidArguments if it is no job.
    """
    if not queue:
        raise InvalidArguments(f"queue={queue!r} should be the name of a queue.")
    payload = _encoded(job) if isinstance(job, Mapping) else _checked(job)
    enqueueing.deliver_raw(queue, payload, None if at is None else duetime.at(at))


def dequeue(definition: Target, /, *args: Any, **kwargs: Any) -> int | None:
    """Remove the definition's waiting jobs with these arguments, or all of them if none are given.

    Decoded values are compared, so any spelling of the same job is found, whatever its id. Returns how
    many there were; None if a before_dequeue hook vetoed it. Jobs that a worker has already are not found.
    """
    return dequeueing.dequeue(resolve(definition), args, kwargs)


def peek(queue: str, start: int = 0, count: int = 1) -> list[Job | None]:
    """Return ``count`` waiting jobs from place ``start`` on, the next one first; None for what is no job."""
    return [_job(text) for text in waiting.payloads(queue, start, start + count - 1)] if count > 0 else []


def _job(text: bytes) -> Job | None:
    try:
        return payload.decode(text)
    except InvalidPayload:
        return None


def _encoded(job: Mapping[str, Any]) -> bytes:
    fields = {"class": job.get("class"), "args": job.get("args", []), **job}
    if not isinstance(fields["class"], str) or not isinstance(fields["args"], list):
        raise InvalidPayload(f"{job!r} should have a text `class` and a list `args`.")
    rubyjson.check(fields, "payload")
    return rubyjson.encode(fields).encode()


def _checked(text: str | bytes) -> bytes:
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    payload.decode(raw)
    return raw
