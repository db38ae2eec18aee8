"""The thread beside a worker's job: it holds jobs that last, and ends those that a stop cannot wait for."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

from jobqueue.attention import Attention
from jobqueue.slot import REPLACE

LOOK_SECONDS = 0.02
"""How often it looks while jobs are performed; while none is, it sleeps."""


class Watchdog(threading.Thread):
    """Calls ``hold_if_due`` while jobs are performed.

    In a stop it calls ``end`` again and again once the running job's time is over, and ``abandon`` once all
    has to be over.
    """

    def __init__(
        self,
        attention: Attention,
        *,
        hold_if_due: Callable[[], object],
        end: Callable[[], object],
        abandon: Callable[[], object],
    ) -> None:
        super().__init__(name="jobqueue-watchdog", daemon=True)
        self._attention = attention
        self._hold_if_due = hold_if_due
        self._end = end
        self._abandon = abandon
        self.is_performing = threading.Event()
        """Set while jobs are performed."""

    def run(self) -> None:
        """Look, for as long as the process lives, while jobs are performed."""
        # Signals are to reach the main thread, and to interrupt what it waits for
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            self.is_performing.wait()
            time.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Do one look."""
        self._hold_if_due()
        self._attention.look_for_supervisor()
        if self._attention.is_overdue:
            try:
                self._abandon()
            finally:
                # The main thread is in the user's code and may never come back from it
                os._exit(REPLACE)
        elif self._attention.is_ending:
            self._end()
