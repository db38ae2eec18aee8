"""A page of memory that a worker shares with its supervisor, so that no death leaves a doubt.

The worker writes what it is doing; the supervisor reads it when the worker has died. Writing costs
some tens of nanoseconds and survives any kind of death but the machine's.
"""

from __future__ import annotations

import mmap
import os
import time
import weakref
from math import inf

from jobqueue.memoryfile import memory_file

NAME_BYTES = 64
NUMBERS = 10
RUNNING, FIRST, END, IS_READY, RETIRES, ENDS_WITH, TIMEOUT, KILL_AT, ENDED, END_BY = range(NUMBERS)
"""A supervisor that was renewed reads the pages of workers of older code: more may follow these."""


class SharedPage:
    """The page of one worker process; made before the fork."""

    def __init__(self, fd: int | None = None) -> None:
        """``fd`` is the file of a page that a supervisor before this one has made."""
        self.fd = memory_file("page") if fd is None else fd
        size = NAME_BYTES + 8 * NUMBERS
        if os.fstat(self.fd).st_size < size:
            os.truncate(self.fd, size)
        self._memory = mmap.mmap(self.fd, size)
        self._numbers = memoryview(self._memory)[NAME_BYTES:].cast("Q")
        self.close = weakref.finalize(self, os.close, self.fd)
        """Close the file; the memory goes with its last reader."""

    @property
    def run(self) -> str:
        """The name of the worker's run; empty before it has one, and when it has ended it."""
        return self._memory[:NAME_BYTES].rstrip(b"\0").decode()

    @run.setter
    def run(self, name: str) -> None:
        self._numbers[ENDED] = 0  # another run begins its tokens anew
        self._memory[:NAME_BYTES] = name.encode().ljust(NAME_BYTES, b"\0")

    @property
    def running(self) -> int:
        """The token of the running job, 0 for none."""
        return self._numbers[RUNNING]

    @property
    def finished(self) -> range:
        """The tokens of jobs that have ended well and may not be settled yet."""
        return range(self._numbers[FIRST], self._numbers[END])

    def begin_batch(self, token: int) -> None:
        """A batch was claimed whose first token this is; nothing of it has finished."""
        self._numbers[END] = token
        self._numbers[FIRST] = token

    def begin(self, token: int) -> None:
        """A job begins."""
        self._numbers[RUNNING] = token

    def finish(self, token: int) -> None:
        """The running job has ended well."""
        self._numbers[END] = token + 1
        self._numbers[RUNNING] = 0

    def clear(self) -> None:
        """Nothing is running: the job's failure is settled, or it was dropped with its run."""
        self._numbers[RUNNING] = 0

    @property
    def is_ready(self) -> bool:
        """The worker is known to Redis and claims jobs."""
        return bool(self._numbers[IS_READY])

    def be_ready(self) -> None:
        self._numbers[IS_READY] = 1

    @property
    def retires(self) -> bool:
        """The supervisor wants the worker to leave after the running job, however long that takes."""
        return bool(self._numbers[RETIRES])

    def retire(self) -> None:
        self._numbers[RETIRES] = 1

    @property
    def ends_with(self) -> tuple[int, bool]:
        """The signal that ends the running job, 0 for none yet, and whether the job goes back."""
        number, goes_back = divmod(self._numbers[ENDS_WITH], 2)
        return number, bool(goes_back)

    def end_with(self, number: int, *, goes_back: bool) -> None:
        """The running job shall end, because of a signal to stop that the worker got."""
        self._numbers[ENDS_WITH] = 2 * number + goes_back

    def end_running(self, seconds: float) -> None:
        """The running job was told to end, and has this time to clean up."""
        self._numbers[END_BY] = time.monotonic_ns() + int(seconds * 1e9)
        self._numbers[ENDED] = self._numbers[RUNNING]

    @property
    def seconds_to_end(self) -> float:
        """How long the running job may still clean up; ``inf`` if it was not told to end."""
        running = self._numbers[RUNNING]
        if not running or running != self._numbers[ENDED]:
            return inf
        return (self._numbers[END_BY] - time.monotonic_ns()) / 1e9

    @property
    def timeout_seconds(self) -> float:
        """The timeout of the running job, or of the last one that had any."""
        return self._numbers[TIMEOUT] / 1e9

    @property
    def kill_at(self) -> int:
        """When the process that performs the job is to be killed, by ``time.monotonic_ns``; 0 for never."""
        return self._numbers[KILL_AT]

    @property
    def seconds_to_kill(self) -> float:
        """How long until ``kill_at``; without one ``inf``."""
        kill_at = self.kill_at
        return (kill_at - time.monotonic_ns()) / 1e9 if kill_at else inf

    def limit(self, timeout_seconds: float, kill_at: int) -> None:
        """The running job has a timeout."""
        self._numbers[TIMEOUT] = int(timeout_seconds * 1e9)
        self._numbers[KILL_AT] = kill_at

    def lift_limit(self) -> None:
        """The user's code has come back: nobody is to be killed for it any more."""
        self._numbers[KILL_AT] = 0
