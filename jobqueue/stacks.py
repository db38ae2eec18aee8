"""What a process is doing, line by line: even if it is stuck in C code, where no Python can run.

The worker's side is C code alone, which writes the stacks into a file in memory when the signal comes; the
supervisor reads them there.
"""

from __future__ import annotations

import faulthandler
import os
import weakref

from jobqueue.attention import STACKS_SIGNAL
from jobqueue.memoryfile import memory_file


class Stacks:
    """The file in memory into which one worker and its children write their stacks."""

    def __init__(self, fd: int | None = None) -> None:
        """``fd`` is one that a supervisor before this one has made."""
        self.fd = memory_file("stacks") if fd is None else fd
        self._seen = 0
        self.close = weakref.finalize(self, os.close, self.fd)

    def write_when_told(self, *, passes_on: bool) -> None:
        """Have this process write its stacks at the signal; ``passes_on`` leaves that to others as well."""
        faulthandler.register(STACKS_SIGNAL, file=self.fd, all_threads=True, chain=passes_on)

    def take(self) -> str:
        """Return what was written, once nothing more is added to it; else nothing."""
        size = os.fstat(self.fd).st_size
        is_whole, self._seen = 0 < size == self._seen, size
        if not is_whole:
            return ""
        text = os.pread(self.fd, size, 0).decode("utf-8", "replace")
        os.ftruncate(self.fd, 0)
        os.lseek(self.fd, 0, os.SEEK_SET)
        self._seen = 0
        return text
