"""Whether and when a job that did not succeed is tried again: decisions on values, but for chance."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jobqueue import attempts, clock, delayed
from jobqueue.attempts import Attempt
from jobqueue.backoff import retry_pause
from jobqueue.exceptions import Retry, TermException
from jobqueue.pause import Pause, pause_seconds
from jobqueue.payload import Job

Backoff = Sequence[Pause] | Callable[[int, BaseException], Pause | None]
"""A pause for each failed attempt, the last one for all further ones; or what returns it, or None for no more
attempts, given the number of the attempt that failed, from 1, and its exception.
"""
Kinds = tuple[type[BaseException], ...]

ASKED_AT_MOST = 25
"""How often a job that raises Retry is tried again, if its definition does not say."""

_log = logging.getLogger("jobqueue")


class RetryPolicy(NamedTuple):
    """What becomes of the jobs of one definition when they fail."""

    retries: int | None = None
    """How often one is tried again; None for never, unless it asks for it."""
    backoff: Backoff | None = None
    """None for exponential pauses, see ``backoff.retry_pause``."""
    retry_on: Kinds | None = None
    """Only these are worth another attempt; None for all but an operator's TermException."""
    fail_on: Kinds = ()
    """These are not, even if ``retry_on`` names them."""


class Later(NamedTuple):
    """A job that is going to be tried again."""

    member: bytes
    """As it stands in ``later``."""
    pause_ms: int


def reason(error: BaseException) -> BaseException:
    """Return what went wrong in a job: of one that asked to be tried again, why it did, as far as it told."""
    if not isinstance(error, Retry):
        return error
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__) or error


def may_be_retried(policy: RetryPolicy, job: Job, error: BaseException) -> bool:
    """Tell whether a job that raised ``error`` has an attempt left, and the error is worth it."""
    return job.attempt <= _most(policy, error) and _is_worth_it(policy, error)


def decide(policy: RetryPolicy, job: Job, error: BaseException, *, may_call: bool = True) -> float | None:
    """Return in how many seconds a job that raised ``error`` is tried again; None if it has failed.

    Where ``may_call`` is False no code of the user's is called: the pause is then the exponential one.
    """
    if not may_be_retried(policy, job, error):
        return None
    if isinstance(error, Retry) and error.in_seconds is not None:
        return error.in_seconds
    return _pause(policy.backoff, job.attempt, error, may_call)


def later(payload: bytes, queue: str, job: Job, seconds: float, exception: str, error: str) -> Later:
    """Return what waits to be tried again: the job with one more attempt, its queue, and an id in any case.

    Raises InvalidPayload if no job of this queue can wait.
    """
    failed = Attempt(clock.failed_at(time.time()), exception, error)
    told = attempts.write([*job.attempts, failed], job.attempts_dropped)
    return Later(delayed.member(payload, queue, told), round(seconds * 1000))


def _most(policy: RetryPolicy, error: BaseException) -> int:
    if policy.retries is None:
        return ASKED_AT_MOST if isinstance(error, Retry) else 0
    return policy.retries


def _is_worth_it(policy: RetryPolicy, error: BaseException) -> bool:
    if isinstance(error, Retry):
        return True
    if isinstance(error, policy.fail_on):
        return False
    if policy.retry_on is not None:
        return isinstance(error, policy.retry_on)
    return not isinstance(error, TermException) or error.stops


def _pause(backoff: Backoff | None, attempt: int, error: BaseException, may_call: bool) -> float | None:
    if callable(backoff):
        return _called(backoff, attempt, reason(error)) if may_call else retry_pause(attempt)
    if backoff:
        return pause_seconds(backoff[min(attempt, len(backoff)) - 1])
    return retry_pause(attempt)


def _called(
    backoff: Callable[[int, BaseException], Pause | None], attempt: int, error: BaseException
) -> float | None:
    """Ask a definition's own function; what is wrong with that costs the job no attempt."""
    try:
        pause = backoff(attempt, error)
        return None if pause is None else pause_seconds(pause)
    except BaseException as broken:
        _log.error("backoff %r gave no pause, so the exponential one is taken: %s", backoff, broken)
        return retry_pause(attempt)
