"""Take waiting jobs out of a queue again, found by what they say and not by how it is spelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidPayload
from jobqueue.hooks import allow, announce
from jobqueue.inspection.queues import payloads
from jobqueue.payload import decode
from jobqueue.store.queues import remove_jobs

READ_AT_ONCE = 1000


def dequeue(definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> int | None:
    """Remove a definition's waiting jobs with these arguments, or all of them if none are given.

    Returns how many there were; None if a before_dequeue hook vetoed it.
    """
    if not allow(definition.hooks.before_dequeue, args, kwargs):
        return None
    # All are read before any is removed, because a removal moves the places of the others
    found = [text for text in waiting(definition.queue) if _means(text, definition.name, args, kwargs)]
    removed = remove_jobs(definition.queue, list(dict.fromkeys(found)))
    announce(definition.hooks.after_dequeue, args, kwargs)
    return removed


def waiting(queue: str) -> Iterator[bytes]:
    """Yield every payload of a queue, newest first, some at a time.

    Places are counted from the tail: workers that claim at the head meanwhile move nothing, and jobs
    enqueued meanwhile only make some be seen twice.
    """
    start = -1
    while some := payloads(queue, start - READ_AT_ONCE + 1, start):
        yield from reversed(some)
        start -= READ_AT_ONCE


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _means(payload: bytes, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    try:
        job = decode(payload)
    except InvalidPayload:
        return False
    if job.name != name:
        return False
    return not (args or kwargs) or (same(job.args, args) and same(job.kwargs, kwargs))
