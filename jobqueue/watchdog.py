"""The thread beside a worker's job: it holds jobs that last, and ends a stop that takes too long."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from jobqueue.attention import Attention

LOOK_SECONDS = 0.02
"""How often it looks while jobs are performed; while none is, it sleeps."""


class Watchdog(threading.Thread):
    """Calls ``hold_if_due`` while jobs are performed, and ``abandon`` once a stop is overdue."""

    def __init__(
        self, attention: Attention, hold_if_due: Callable[[], object], abandon: Callable[[], object]
    ) -> None:
        super().__init__(name="jobqueue-watchdog", daemon=True)
        self._attention = attention
        self._hold_if_due = hold_if_due
        self._abandon = abandon
        self.is_performing = threading.Event()
        """Set while jobs are performed."""

    def run(self) -> None:
        """Look, for as long as the process lives, while jobs are performed."""
        while True:
            self.is_performing.wait()
            time.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Do one look."""
        self._hold_if_due()
        if self._attention.is_overdue:
            try:
                self._abandon()
            finally:
                # The main thread is in the user's code and may never come back from it
                os._exit(0)
