"""What the operating system's signals have said, for loops to look at between two steps."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from types import FrameType

SAME_SECONDS = 1.0
"""Signals that follow this soon are one: a terminal, honcho and systemd each signal the whole group."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
HEARD = (*STOP_SIGNALS, signal.SIGCHLD)


class Attention:
    """Notes signals without acting on them, and lets a loop sleep until one comes.

    ``fd`` is readable once a signal has come. Make it in the main thread of the process it serves.
    """

    def __init__(self, shutdown_timeout_seconds: float) -> None:
        self._shutdown_timeout_seconds = shutdown_timeout_seconds
        self.stops = 0
        """How many times this process was told to stop."""
        self.stop_by = float("inf")
        """When it has to have stopped, in seconds of ``time.monotonic``."""
        self.fd, self._write_fd = os.pipe()
        for end in (self.fd, self._write_fd):
            os.set_blocking(end, False)
        self.listen()

    def listen(self) -> None:
        """Hear signals, again if a job has made something else hear them."""
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._note_stop)
        # A handler is what makes the end of a child write to ``fd``
        signal.signal(signal.SIGCHLD, _do_nothing)

    @property
    def is_stopping(self) -> bool:
        return self.stops > 0

    @property
    def is_overdue(self) -> bool:
        """The time to stop gracefully is over."""
        return time.monotonic() >= self.stop_by

    def stop(self) -> None:
        """Do as if a signal to stop had come."""
        now = time.monotonic()
        if not self.stops:
            self._stopped_at, self.stop_by = now, now + self._shutdown_timeout_seconds
        if not self.stops or now - self._stopped_at > SAME_SECONDS:
            self.stops += 1

    def sleep(self, seconds: float, *fds: int) -> None:
        """Sleep until a signal comes, one of ``fds`` is readable, or time is over."""
        select.select([self.fd, *fds], [], [], max(0.0, seconds))
        self.drain()

    def drain(self) -> None:
        """Forget the signals that have been looked at."""
        try:
            while os.read(self.fd, 512):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Give the signals back to whoever comes next."""
        signal.set_wakeup_fd(-1)
        for number in HEARD:
            signal.signal(number, signal.SIG_DFL)
        os.close(self.fd)
        os.close(self._write_fd)

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop()


def hear_no_stop() -> None:
    """Leave stops to the parent. A handler does that: what is ignored, programs run from here ignore too."""
    for number in STOP_SIGNALS:
        signal.signal(number, _do_nothing)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    pass


_forking = threading.local()


def _before_fork() -> None:
    """Keep signals from the child until it does not take them for its parent's any more."""
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)


def _after_fork() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _after_fork_in_child() -> None:
    """Let a process that a job forks end by the signals that the job sends it."""
    for number in HEARD:
        if getattr(signal.getsignal(number), "__module__", None) == __name__:
            signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
    _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
