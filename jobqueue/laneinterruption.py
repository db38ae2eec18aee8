"""End a job that runs beside others of its process, where no signal reaches it alone.

Another thread ends it, and an exception may rise only while the job runs, between ``open`` and ``close``,
and once. Whoever takes the flag of a job first, its end or the one who ends it, decides that.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from math import inf

from jobqueue.conf import settings
from jobqueue.exceptions import JobTimeout
from jobqueue.interruption import FOREVER_SECONDS, term_exception
from jobqueue.recovery import timeout_text
from jobqueue.sharedpage import Lane, SharedPage

STEPS = 10
"""More than enough: what was sent to a thread rises with the first step that may be interrupted."""
_LOCKING = {
    (file, name)
    for file in (logging.__file__, threading.__file__, "<frozen importlib._bootstrap>")
    for name in ("acquire", "_acquireLock", "__enter__")
}
"""Functions of Python itself that take a lock: what rises there leaves it locked, for all threads."""


class _Stretch:
    """One job, from its beginning to its end."""

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.ends_at = time.monotonic() + timeout_seconds
        self.flag = [True]
        """Empty once it is decided whether something rises."""
        self.has_risen = False
        """It is decided that something rises."""
        self.is_sent = False
        """It was sent, and is on its way or has risen."""


class LaneInterruption(ABC):
    """The way from another thread to the running job of one lane."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._stretch: _Stretch | None = None
        self._send: Callable[[BaseException], None] | None = None

    def open(self, timeout_seconds: float | None = None) -> None:
        """The job begins: from here exceptions may rise. For its own thread, as are the next two."""
        seconds = settings.job_timeout_seconds if timeout_seconds is None else timeout_seconds
        stretch = _Stretch(inf if seconds is None or seconds >= FOREVER_SECONDS else seconds)
        if stretch.timeout_seconds < inf:
            kill_seconds = stretch.timeout_seconds + settings.timeout_grace_seconds
            self._lane.limit(stretch.timeout_seconds, time.monotonic_ns() + int(kill_seconds * 1e9))
        self._stretch = stretch

    def close(self) -> None:
        """The job has ended: from here none rises any more."""
        stretch = self._stretch
        if stretch is not None and not _take(stretch):
            self._recall(stretch)

    def lift(self) -> bool:
        """Forget the timeout, and tell whether anything was to rise in the job."""
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return False
        if stretch.timeout_seconds < inf:
            self._lane.lift_limit()
        return stretch.has_risen

    def through(self, send: Callable[[BaseException], None] | None) -> None:
        """Have what shall rise sent to a coroutine instead; None for no more of that."""
        self._send = send

    def end(self, error: BaseException) -> None:
        """Let an exception rise in the running job, if there is one and none has risen. For other threads."""
        if (stretch := self._stretch) is not None:
            self._end(stretch, error)

    def end_if_overrun(self) -> None:
        """Let JobTimeout rise in the running job if its time is over. For other threads."""
        stretch = self._stretch
        if stretch is not None and time.monotonic() >= stretch.ends_at:
            self._end(stretch, JobTimeout(timeout_text(stretch.timeout_seconds)))

    def end_if_told(self, page: SharedPage) -> None:
        """Let it rise as the page says if the running job was told to end. For other threads."""
        if self._lane.seconds_to_end < inf:
            self.end(term_exception(page))

    def _end(self, stretch: _Stretch, error: BaseException) -> None:
        if _take(stretch):
            stretch.has_risen = True
            self._raise(error)
            stretch.is_sent = True

    @abstractmethod
    def _raise(self, error: BaseException) -> None:
        """Have it rise in the job."""

    def _recall(self, stretch: _Stretch) -> None:
        """Let nothing rise later that has been sent, or is about to be."""
        while not stretch.is_sent:
            time.sleep(0)


class ThreadInterruption(LaneInterruption):
    """The way to a job in a thread: the exception rises with its next step in Python."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(lane)
        self._thread = 0

    def open(self, timeout_seconds: float | None = None) -> None:
        self._thread = threading.get_ident()
        super().open(timeout_seconds)

    def _end(self, stretch: _Stretch, error: BaseException) -> None:
        # Who ends a job tries again soon
        if self._send is not None or not self._takes_lock():
            super()._end(stretch, error)

    def _takes_lock(self) -> bool:
        frame = sys._current_frames().get(self._thread)
        return frame is not None and (frame.f_code.co_filename, frame.f_code.co_name) in _LOCKING

    def _raise(self, error: BaseException) -> None:
        if self._send is not None:
            self._send(copy(error))
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self._thread), ctypes.py_object(_kind_of(error))
        )

    def _recall(self, stretch: _Stretch) -> None:
        """Let it rise here, if it has not yet, with the next steps in Python.

        Taken back by PyThreadState_SetAsyncExc(…, NULL), it would leave CPython 3.11 looking for it, which
        slows down every thread, and keeps one that is traced from going on at all.
        """
        try:
            super()._recall(stretch)
            for _ in range(STEPS):
                pass
        except BaseException:  # noqa: S110 - the job has ended before
            pass


class TaskInterruption(LaneInterruption):
    """The way to a job on an event loop: it is told of the exception by being cancelled."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(lane)
        self._early: BaseException | None = None

    def through(self, send: Callable[[BaseException], None] | None) -> None:
        super().through(send)
        early, self._early = self._early, None
        if send is not None and early is not None:
            send(early)

    def _raise(self, error: BaseException) -> None:
        # Several jobs may be ended with it, and each writes its own way into it
        self._early = copy(error)
        if self._send is not None:
            self._send(self._early)

    def _recall(self, stretch: _Stretch) -> None:
        super()._recall(stretch)
        self._early = None


def _take(stretch: _Stretch) -> bool:
    try:
        return stretch.flag.pop()
    except IndexError:
        return False


def _kind_of(error: BaseException) -> type[BaseException]:
    """Return a class whose instances are like this error: a thread can be sent a class alone."""
    kind = type(error)

    def begin(self: BaseException) -> None:
        BaseException.__init__(self, *error.args)
        self.__dict__.update(error.__dict__)

    names = {"__init__": begin, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), names)
