"""What a child that performs one job shares with its worker, and how it tells the worker what became of it.

All of it is memory, so nobody waits for the other to read. The worker looks there when the child has ended,
however it has ended.
"""

from __future__ import annotations

import os
import weakref

from jobqueue.memoryfile import memory_file
from jobqueue.sharedpage import SharedPage

LENGTH_BYTES = 8


class ChildReport:
    """The memory of one worker and its children, which come one after another."""

    def __init__(self) -> None:
        self.page = SharedPage()
        """Not the worker's own: the supervisor is not to kill that for a job's timeout."""
        self._lane = self.page.lanes[0]
        self._fd = memory_file("report")
        weakref.finalize(self, os.close, self._fd)

    def begin(self, token: int) -> None:
        """A child is to be forked for the job with this token."""
        self._lane.forget()
        self._lane.lift_limit()
        self._lane.begin(token)

    def done(self, token: int) -> None:
        """Tell that the job has ended well. The child's step, as is ``write``."""
        self._lane.finish(token)

    def write(self, report: bytes) -> None:
        """Tell of any other end."""
        message, at = len(report).to_bytes(LENGTH_BYTES) + report, 0
        while at < len(message):
            at += os.pwrite(self._fd, message[at:], at)

    def is_done(self, token: int) -> bool:
        """Tell whether the job has ended well."""
        return self._lane.done == token

    def take(self) -> bytes:
        """Return what was written, and forget it; empty if that was nothing, or not all of it."""
        size = os.fstat(self._fd).st_size
        message = os.pread(self._fd, size, 0)
        os.ftruncate(self._fd, 0)
        report = message[LENGTH_BYTES:]
        is_whole = size >= LENGTH_BYTES and len(report) == int.from_bytes(message[:LENGTH_BYTES])
        return report if is_whole else b""
