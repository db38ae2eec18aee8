"""End the running job with an exception that rises in the user's code, and nowhere else.

A signal may come at any moment, but its exception may rise only while the job runs: between ``open``
and ``close``, and once for each job. Signals interrupt what waits for the operating system; a job in C
code that does not come back, or that holds the exception up, is left to the supervisor, which kills its
process: the shared page tells when.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Protocol

from jobqueue.conf import settings
from jobqueue.exceptions import JobTimeout, TermException
from jobqueue.recovery import timeout_text
from jobqueue.sharedpage import Lane, SharedPage
from jobqueue.systemsignals import DEFAULT, handle, handler_of

END_SIGNAL = signal.SIGUSR1
"""Sent to a process that performs jobs, it ends the running one."""
TIMEOUT_SIGNAL = signal.SIGALRM
"""Sent by the system when the running job's time is over."""
FOREVER_SECONDS = 1e9
"""A timeout of so long is none."""


class Interrupts(Protocol):
    """The way to end a job while it runs."""

    def open(self, timeout_seconds: float | None = None, /) -> None:
        """The job begins: from here exceptions may rise."""

    def close(self) -> None:
        """The job has ended: from here none rises any more."""

    def lift(self) -> bool:
        """Forget the timeout, and tell whether anything has risen in the job."""

    def through(self, send: Callable[[BaseException], None] | None, /) -> None:
        """Have what shall rise sent to a coroutine instead; None for no more of that."""


class Interruption:
    """The way from a signal to the running job of this process."""

    def __init__(self) -> None:
        self.is_open = False
        """A job runs that nothing has risen in yet."""
        self._has_risen = False
        self._is_marked = False
        """The running job has a timeout, or something has risen in it."""
        self._send: Callable[[BaseException], None] | None = None
        self._is_awaited = False
        self._came_early = False
        self._why: Callable[[], TermException | None] = lambda: TermException("SIGUSR1")
        self._lane: Lane | None = None
        self._default_seconds: float | None = None
        self._ends_at = 0
        """When the running job's time is over, by ``time.monotonic_ns``; 0 without a timeout."""

    def listen(self, why: Callable[[], TermException | None]) -> None:
        """End jobs when told to; ``why`` makes the exception, if one is to rise. For the main thread."""
        self._why = why
        handle(END_SIGNAL, self._end)

    def keep_timeouts(self, lane: Lane, default_seconds: float | None) -> None:
        """Interrupt jobs at their timeouts from now on, and tell a lane when to kill this process.

        ``default_seconds`` is the timeout of jobs that have none of their own.
        """
        self._lane = lane
        self._default_seconds = default_seconds

    def await_job(self) -> None:
        """This process performs one job alone: a signal that comes before it begins is meant for it."""
        self._is_awaited = True

    def open(self, timeout_seconds: float | None = None) -> None:
        """The job begins: from here exceptions may rise."""
        self.is_open = True
        seconds = self._default_seconds if timeout_seconds is None else timeout_seconds
        if seconds is not None:
            self._limit(seconds)
        if self._came_early:
            self._end(END_SIGNAL, None)

    def close(self) -> None:
        """The job has ended: from here none rises any more."""
        self.is_open = False

    def lift(self) -> bool:
        """Forget the timeout, and tell whether anything has risen in the job.

        Apart from ``close``, which an exception may cut short.
        """
        if not self._is_marked:
            return False
        if self._lane is not None and self._ends_at:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._lane.lift_limit()
        has_risen = self._has_risen
        self._is_marked, self._has_risen, self._ends_at = False, False, 0
        return has_risen

    def through(self, send: Callable[[BaseException], None] | None) -> None:
        """Have what shall rise sent to a coroutine instead, not rise in its loop; None ends that."""
        self._send = send

    def _limit(self, seconds: float) -> None:
        if self._lane is None or seconds >= FOREVER_SECONDS:
            return
        self._is_marked = True
        self._ends_at = time.monotonic_ns() + int(seconds * 1e9)
        self._lane.limit(seconds, self._ends_at + int(settings.timeout_grace_seconds * 1e9))
        # Each time, because a job may have made something else hear it
        handle(TIMEOUT_SIGNAL, self._time_out)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _end(self, number: int, frame: FrameType | None) -> None:
        # Asked in any case: a signal that found nothing to end is not to be taken for a new one when it is
        # passed on to this process a moment later
        error = self._why()
        if not self.is_open:
            self._came_early = self._is_awaited
        elif error:
            self._raise(error)

    def _time_out(self, number: int, frame: FrameType | None) -> None:
        left = self._ends_at - time.monotonic_ns()
        if left > 0:
            # An alarm of the job's own, which has taken the place of this one
            signal.setitimer(signal.ITIMER_REAL, left / 1e9)
        elif self._ends_at and self._lane is not None:
            self._raise(JobTimeout(timeout_text(self._lane.timeout_seconds)))

    def _raise(self, error: BaseException) -> None:
        if self.is_open:
            # Once: what the job does to clean up is not to be interrupted
            self.is_open, self._has_risen, self._is_marked = False, True, True
            if self._send is None:
                raise error
            self._send(error)


def term_exception(page: SharedPage) -> TermException:
    """Return what rises in a job that is ended, for the reason that its worker's page tells."""
    number, goes_back = page.ends_with
    if not number:
        return TermException(END_SIGNAL.name)
    return TermException(signal.Signals(number).name, goes_back=goes_back, stops=True)


interruption = Interruption()


def _forget_after_fork() -> None:
    """Interrupt no process that a job forks: neither timer nor page is its own."""
    interruption.close()
    interruption._is_marked, interruption._ends_at = False, 0
    if getattr(handler_of(TIMEOUT_SIGNAL), "__module__", None) == __name__:
        handle(TIMEOUT_SIGNAL, DEFAULT)


os.register_at_fork(after_in_child=_forget_after_fork)
