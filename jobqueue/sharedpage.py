"""A page of memory that a worker shares with its supervisor, so that no death leaves a doubt.

The worker writes what it is doing; the supervisor reads it when the worker has died. Writing costs
some tens of nanoseconds and survives any kind of death but the machine's.
"""

from __future__ import annotations

import mmap

NAME_BYTES = 64
NUMBERS = 3
RUNNING, FIRST, END = range(NUMBERS)


class SharedPage:
    """The page of one worker process; made before the fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, NAME_BYTES + 8 * NUMBERS)
        self._numbers = memoryview(self._memory)[NAME_BYTES:].cast("Q")

    @property
    def run(self) -> str:
        """The name of the worker's run; empty before it has one, and when it has ended it."""
        return self._memory[:NAME_BYTES].rstrip(b"\0").decode()

    @run.setter
    def run(self, name: str) -> None:
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
