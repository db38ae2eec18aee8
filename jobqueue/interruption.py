"""End the running job with an exception that rises in the user's code, and nowhere else.

A signal may come at any moment, but its exception may rise only while the job runs: between ``open``
and ``close``, and once for each job. Signals interrupt what waits for the operating system; a job in C
code that does not come back is left to the supervisor, which kills its process.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from jobqueue.exceptions import TermException

END_SIGNAL = signal.SIGUSR1
"""Sent to a process that performs jobs, it ends the running one."""


class Interruption:
    """The way from a signal to the running job of this process."""

    def __init__(self) -> None:
        self._is_open = False
        self._why: Callable[[], TermException] = lambda: TermException("SIGUSR1")

    def listen(self, why: Callable[[], TermException]) -> None:
        """End jobs when told to; ``why`` makes the exception. To be called in the main thread."""
        self._why = why
        signal.signal(END_SIGNAL, self._end)

    def open(self) -> None:
        """The job begins: from here exceptions may rise."""
        self._is_open = True

    def close(self) -> None:
        """The job has ended: from here none rises any more."""
        self._is_open = False

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._raise(self._why())

    def _raise(self, error: BaseException) -> None:
        if self._is_open:
            # Once: what the job does to clean up is not to be interrupted
            self._is_open = False
            raise error


interruption = Interruption()
