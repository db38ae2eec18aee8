"""Read the jobs that wait to be tried again: those in ``later`` that have failed before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobqueue.attempts import Attempt
from jobqueue.connection import keys
from jobqueue.inspection import delayed
from jobqueue.inspection.delayed import DelayedJob, scored
from jobqueue.inspection.jobs import SeenJob
from jobqueue.inspection.replies import ask, fetch, or_else

CHUNK = 200
LOOKED_THROUGH_AT_MOST = 2_000
"""Other delayed jobs stand between those that are tried again: a page looks through no more than this."""
LOOKED_THROUGH_BYTES = 20_000_000
_MARK = b'"attempts":['


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingRetry:
    """A job that waits to be tried again."""

    delayed: DelayedJob

    @property
    def digest(self) -> str:
        """A name for exactly this text, fit for a URL."""
        return self.delayed.digest

    @property
    def job(self) -> SeenJob:
        """The job as a page shows it."""
        return self.delayed.seen

    @property
    def last(self) -> Attempt | None:
        """The last attempt; None if the job is too large to be read."""
        return self.job.attempts[-1] if self.job.attempts else None


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPage:
    """Some jobs that wait to be tried again, the next one first."""

    retries: list[WaitingRetry]
    count: int
    """How many jobs wait for their moments, retries or not."""
    looked_through: int
    later: int | None
    """The place in ``later`` to go on from; None at the end."""
    complaints: list[str]


def page(start: int, size: int) -> RetryPage:
    """Return up to ``size`` retries from a place in ``later`` on.

    Looks through a few chunks and no more; ``RetryPage.later`` tells where to go on.
    """
    key, complaints = keys().later, list[str]()
    count, first = fetch([("ZCARD", key), _range(start)])
    count, first = or_else(0, count, key, complaints), or_else([], first, key, [])
    found: list[WaitingRetry] = []
    looked_through = size_bytes = 0
    for each in _onwards(start, first):
        looked_through += 1
        size_bytes += len(each.raw)
        if _is_retry(each):
            found.append(WaitingRetry(delayed=each))
        if (
            len(found) == size
            or looked_through == LOOKED_THROUGH_AT_MOST
            or size_bytes > LOOKED_THROUGH_BYTES
        ):
            break
    later = start + looked_through
    return RetryPage(
        retries=found,
        count=count,
        looked_through=looked_through,
        later=later if later < count else None,
        complaints=complaints,
    )


def find(moment_ms: int, digest: str) -> WaitingRetry | None:
    """Return the retry with this digest that is due at this moment; None if it is gone, or due at another."""
    found = delayed.find(moment_ms, digest, is_bare=False)
    return WaitingRetry(delayed=found) if found else None


def _is_retry(each: DelayedJob) -> bool:
    return _MARK in each.raw and (bool(each.seen.attempts) or each.seen.is_large)


def _onwards(start: int, first: list[bytes]) -> Iterator[DelayedJob]:
    """Yield the delayed jobs from a place on, the first chunk of which is known."""
    found = first
    while found:
        yield from scored(found)
        start += len(found) // 2
        found = ask(*_range(start))


def _range(start: int) -> tuple[str, str, int, int, str]:
    return "ZRANGE", keys().later, start, start + CHUNK - 1, "WITHSCORES"
