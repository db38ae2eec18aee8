"""Enqueue and delay unique jobs under their locks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from jobqueue import delayed
from jobqueue.connection import keys
from jobqueue.exceptions import NotReplicated
from jobqueue.keys import Keys, to_text
from jobqueue.store.pushing import MOST_PER_SCRIPT, send

Mode = Literal["drop", "replace", "raise", "debounce"]
"""What becomes of a job whose lock another one holds; "debounce", of delayed jobs, replaces and postpones."""

REPLACED_AT_ONCE = 20
"""Redis looks through a queue for each job that may be replaced there."""


class Candidate(NamedTuple):
    """A unique job that is to be enqueued."""

    digest: str
    id: str
    payload: bytes


def enqueue(queue: str, jobs: Sequence[Candidate], mode: Mode) -> list[str]:
    """Append jobs to a queue, each unless another holds its lock.

    Returns for each the id of the job that holds its lock, "" if it was enqueued. With "raise" none of up to
    1,000 jobs is enqueued if one cannot be. Raises RedisUnreachable, and NotReplicated as ``pushing.push``
    with these ids as its ``answers``.
    """

    def names(key: Keys) -> list[str]:
        return [key.queue(queue), key.queues, key.wake(queue), key.wake_any, key.unique, key.runs]

    return _sent("enqueue_unique", names, [queue, keys().prefix, mode], jobs, f"Enqueued in {queue!r}", mode)


def delay(
    queue: str, jobs: Sequence[Candidate], moment_ms: int, mode: Mode, longest_ms: int = 0
) -> list[str]:
    """Let jobs wait until a moment, in ms since the epoch, each unless another holds its lock.

    "debounce" postpones a job until so many ms after its enqueue at most. Otherwise as ``enqueue``; raises
    InvalidPayload too.
    """
    items = [(job.digest, job.id, moment_ms, delayed.member(job.payload, queue), job.payload) for job in jobs]

    def names(key: Keys) -> list[str]:
        return [key.later, key.wake_scheduler, key.unique, key.runs]

    args = [keys().prefix, mode, longest_ms]
    return _sent("delay_unique", names, args, items, f"Delayed for {queue!r}", mode)


def _sent(
    script: str,
    names: Callable[[Keys], Sequence[str]],
    args: Sequence[Any],
    items: Sequence[Sequence[Any]],
    done: str,
    mode: Mode,
) -> list[str]:
    most = MOST_PER_SCRIPT if mode in ("drop", "raise") else REPLACED_AT_ONCE
    try:
        return _ids(send(script, names, args, items, done, most))
    except NotReplicated as error:
        raise NotReplicated(str(error), _ids(error.answers)) from error


def _ids(answers: Sequence[Sequence[bytes]]) -> list[str]:
    return [to_text(id) for some in answers for id in some]
