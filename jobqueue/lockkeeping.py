"""What a scheduler does for the locks of unique jobs: release those whose jobs were taken away by hand."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from jobqueue.connection import keys
from jobqueue.link import Link
from jobqueue.store.unlocking import release_orphans

EVERY_SECONDS = 60
SLICE_SECONDS = 0.02
"""How long jobs that are due may have to wait for a part of the look at everything that waits."""

_log = logging.getLogger("jobqueue")


class LockKeeping:
    """A duty of schedulers, of which one is enough: looks after all locks once a minute, a part at a time."""

    def __init__(self) -> None:
        self._steps: Iterator[int] | None = None

    def __call__(self, link: Link, now_ms: int) -> int | None:
        """Go on for a moment; return when to come again. Begins anew after any of redis-py's errors."""
        steps, self._steps = self._steps or _begun(link), None
        end = time.monotonic() + SLICE_SECONDS
        for released in steps:
            if released:
                _log.warning("released the locks of unique jobs that are gone: %d", released)
            if time.monotonic() > end:
                self._steps = steps
                return now_ms
        return now_ms + EVERY_SECONDS * 1000


def _begun(link: Link) -> Iterator[int]:
    """Begin a look at all locks, if no scheduler has in the last minute."""
    if link.command("SET", keys().unique_looked_after, "1", "NX", "EX", EVERY_SECONDS):
        yield from release_orphans(link.command)
