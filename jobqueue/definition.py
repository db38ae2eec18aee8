"""Job definitions as a site has them: what a job does, with the ways to enqueue one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async

from jobqueue import delayedjobs, duetime, enqueueing
from jobqueue.defined import Defined
from jobqueue.pause import Pause
from jobqueue.payload import Job

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Definition(Defined[P, R]):
    """What a job of this name does and how it is enqueued; calling it just calls the function."""

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Enqueue one job and return it, its id included; None if a before_enqueue hook vetoed it.

        Inside a transaction the job reaches Redis when that commits, and never if it is rolled back. Of a
        unique definition that meets an equal job it returns the job with the id of that one, or raises
        AlreadyEnqueued if ``on_conflict`` says so. Raises InvalidArguments or PayloadTooLarge at once;
        RedisUnreachable outside a transaction.
        """
        return enqueueing.enqueue(self, args, kwargs)

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Do the same as ``enqueue``, from asynchronous code."""
        # Thread-sensitive: in the thread that holds the transactions of synchronous code
        return await sync_to_async(self.enqueue, thread_sensitive=True)(*args, **kwargs)

    def enqueue_in(self, delay: Pause, /, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Enqueue one job so many seconds, or a timedelta, from now; else as ``enqueue``.

        The time counts from this call, not from the commit. A job of a bare definition waits where Ruby's do,
        for a whole second. Raises InvalidArguments for what is no time, or is negative.
        """
        return enqueueing.enqueue(self, args, kwargs, duetime.after(delay))

    def enqueue_at(self, moment: datetime, /, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Enqueue one job at a moment, at once if that is over; else as ``enqueue_in``.

        A naive datetime is read in Django's current time zone.
        """
        return enqueueing.enqueue(self, args, kwargs, duetime.at(moment))

    async def aenqueue_in(self, delay: Pause, /, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Do the same as ``enqueue_in``, from asynchronous code."""
        return await sync_to_async(self.enqueue_in, thread_sensitive=True)(delay, *args, **kwargs)

    async def aenqueue_at(self, moment: datetime, /, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Do the same as ``enqueue_at``, from asynchronous code."""
        return await sync_to_async(self.enqueue_at, thread_sensitive=True)(moment, *args, **kwargs)

    def delay_or_enqueue_in(self, delay: Pause, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Let the delayed jobs with these arguments wait so long from now; delay one if there are none.

        Only those that go to the definition's queue. Otherwise as ``enqueue_in``.
        """
        delayedjobs.delay_or_enqueue(self, duetime.after(delay), args, kwargs)

    def delay_or_enqueue_at(self, moment: datetime, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Let the delayed jobs with these arguments wait for a moment; see ``delay_or_enqueue_in``."""
        delayedjobs.delay_or_enqueue(self, duetime.at(moment), args, kwargs)

    def enqueue_many(self, calls: Iterable[enqueueing.Call]) -> list[Job]:
        """Enqueue a job for each call, a tuple of positional or a dict of keyword arguments.

        One round trip for each 1,000. Nothing is enqueued if any call is refused. Returns the jobs
        without those that a before_enqueue hook vetoed.
        """
        return enqueueing.enqueue_many(self, calls)
