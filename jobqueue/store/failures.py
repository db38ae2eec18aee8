"""Change the Failed list. Every change names the entry by its text, never by its place alone."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from math import inf

from jobqueue import failure
from jobqueue.connection import client, keys, reaching
from jobqueue.exceptions import InvalidPayload
from jobqueue.inspection.failures import Listed, count, upwards
from jobqueue.locks import held, lock_of, place
from jobqueue.scripts import load


def retry(raw: bytes, new_entry: bytes, queue: str, payload: bytes, *, index: int = -1) -> bool:
    """Enqueue a payload again and put ``new_entry`` in the place of its failure, in one atomic step.

    ``index`` is where the entry was read; it is found sooner there. Return False if the entry is gone.
    """
    k = keys()
    names = (k.failed, k.queues, k.queue(queue), k.wake(queue), k.wake_any, k.unique)
    args = (raw, new_entry, queue, payload, index, *_lock(queue, payload))
    with reaching():
        answer = load("retry_failure")(client(), names, args)
    return answer is not None


def _lock(queue: str, payload: bytes) -> tuple[str, str, bytes]:
    lock = lock_of(payload)
    return (lock.digest, lock.id, held(lock.id, place(queue), payload)) if lock else ("", "", b"")


def retry_listed(listed: Listed) -> bool:
    """Retry one failure; return False if it is gone. Raise InvalidPayload if it holds no job to retry."""
    seen = listed.failure
    payload = failure.retry_payload(seen)
    if not listed.can_be_retried:
        raise InvalidPayload("this failure cannot be retried: it names no queue")
    return retry(seen.raw, failure.retried(seen.raw), seen.queue, payload, index=listed.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """How far a retry of all failures came; ``left_from`` is the index to go on from, None at the end."""

    retried: int
    unreadable: int
    left_from: int | None


def retry_all(start: int = 0, seconds: float = inf) -> Retried:
    """Retry every failure that is in the list now, those already retried included, as Resque does.

    Failures that hold no job stay as they are. Begin at index ``start``, the oldest, and stop after so many
    seconds: a web request has to end, however long the list is.
    """
    deadline = time.monotonic() + seconds
    retried = unreadable = 0
    for chunk in upwards(start, count()):
        if time.monotonic() > deadline:
            return Retried(retried=retried, unreadable=unreadable, left_from=chunk[0].index)
        for listed in chunk:
            try:
                retried += retry_listed(listed)
            except InvalidPayload:
                unreadable += 1
    return Retried(retried=retried, unreadable=unreadable, left_from=None)


def remove(raw: bytes) -> bool:
    """Remove one entry with this text; return False if it is gone."""
    with reaching():
        return bool(client().lrem(keys().failed, -1, raw))  # type: ignore[arg-type]  # annotated for text alone


def clear() -> None:
    """Remove every failure."""
    with reaching():
        client().delete(keys().failed)


def clear_retried() -> int:
    """Remove every failure that was retried; return how many were removed."""
    start = removed = 0
    while chunk := next(upwards(start), None):
        retried = [listed for listed in chunk if listed.failure.retried_at]
        removed += _remove(retried) if retried else 0
        start += len(chunk) - len(retried)
    return removed


def _remove(listed: list[Listed]) -> int:
    pairs = [part for each in listed for part in (each.index, each.failure.raw)]
    with reaching():
        return int(load("remove_failures")(client(), [keys().failed], [secrets.token_bytes(16), *pairs]))
