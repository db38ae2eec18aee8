"""A page of memory that a worker shares with its supervisor, so that no death leaves a doubt.

The worker writes what it is doing; the supervisor reads it when the worker has died. Writing costs
some tens of nanoseconds and survives any kind of death but the machine's.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
import weakref
from math import inf

from jobqueue.memoryfile import memory_file

NAME_BYTES = 64
LAYOUT = 1
"""Counted up when any number but those of ``HEAD`` gets another place or meaning."""
PAGE_NUMBERS = 6
LAID_OUT, RETIRES, IS_READY, ENDS_WITH, LANES, FINISHED = range(PAGE_NUMBERS)
HEAD = (LAID_OUT, RETIRES, IS_READY)
"""What stands, behind the name, at the same place in every layout.

After a renewal a supervisor reads pages of workers of older code. With one whose layout it does not know it
keeps the worker alive in Redis and tells it to leave, sees no job of it, and recovers it as a silent run.
"""
LANE_NUMBERS = 6
RUNNING, DONE, TIMEOUT, KILL_AT, ENDED, END_BY = range(LANE_NUMBERS)
MOST_FINISHED = 128
"""So many jobs, and one for each lane, may have ended well and not be settled: more than a batch has."""


class Lane:
    """The place of one running job on a page."""

    def __init__(self, numbers: memoryview[int], number: int, lock: threading.Lock) -> None:
        self.number = number
        """Which of the page's lanes it is."""
        self._numbers = numbers
        self._lock = lock

    @property
    def running(self) -> int:
        """The token of the running job, 0 for none."""
        return self._numbers[RUNNING]

    def begin(self, token: int) -> None:
        """A job begins."""
        self._numbers[RUNNING] = token

    def clear(self) -> None:
        """Nothing is running: the job has ended, or was dropped with its run."""
        self._numbers[RUNNING] = 0

    @property
    def done(self) -> int:
        """The token of the last job that has ended well in its own thread, 0 for none."""
        return self._numbers[DONE]

    def finish(self, token: int) -> None:
        """The job has ended well. For the thread that performed it: others may have dropped it."""
        with self._lock:
            if self._numbers[RUNNING] == token:
                self._numbers[DONE] = token
                self._numbers[RUNNING] = 0

    def drop(self, token: int) -> None:
        """The job was ended, and goes back. For the thread that performed it."""
        with self._lock:
            if self._numbers[RUNNING] == token:
                self._numbers[RUNNING] = 0

    def forget(self) -> None:
        """Another run begins its tokens anew: none of them is running, done, or told to end."""
        with self._lock:
            self._numbers[RUNNING] = self._numbers[DONE] = self._numbers[ENDED] = 0

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

    def end_running(self, seconds: float) -> None:
        """The running job was told to end, and has this time to clean up."""
        self._numbers[END_BY] = time.monotonic_ns() + int(seconds * 1e9)
        self._numbers[ENDED] = self._numbers[RUNNING]

    def forget_end(self) -> None:
        """The running job has ended as it was told to, and waits for Redis to hear of it."""
        self._numbers[ENDED] = 0

    @property
    def seconds_to_end(self) -> float:
        """How long the running job may still clean up; ``inf`` if it was not told to end."""
        running = self._numbers[RUNNING]
        if not running or running != self._numbers[ENDED]:
            return inf
        return (self._numbers[END_BY] - time.monotonic_ns()) / 1e9


class SharedPage:
    """The page of one worker process; made before the fork."""

    def __init__(self, lanes: int = 1, fd: int | None = None) -> None:
        """``lanes`` is how many jobs may run at a time; ``fd`` the file of a page that was made before."""
        self.fd = memory_file("page") if fd is None else fd
        if fd is None:
            os.truncate(self.fd, NAME_BYTES + 8 * (PAGE_NUMBERS + lanes * (LANE_NUMBERS + 1) + MOST_FINISHED))
        self._memory = mmap.mmap(self.fd, 0)
        self._numbers = memoryview(self._memory)[NAME_BYTES:].cast("Q")
        if fd is None:
            self._numbers[LAID_OUT], self._numbers[LANES] = LAYOUT, lanes
        self.is_known = self._numbers[LAID_OUT] == LAYOUT
        """It has the layout that this code knows."""
        self.lanes = self._lay_out(self._numbers[LANES]) if self.is_known else []
        self._first_finished = PAGE_NUMBERS + len(self.lanes) * LANE_NUMBERS
        self.close = weakref.finalize(self, os.close, self.fd)
        """Close the file; the memory goes with its last reader."""

    def _lay_out(self, lanes: int) -> list[Lane]:
        lock = threading.Lock()
        starts = [PAGE_NUMBERS + number * LANE_NUMBERS for number in range(lanes)]
        places = [self._numbers[start : start + LANE_NUMBERS] for start in starts]
        return [Lane(place, number, lock) for number, place in enumerate(places)]

    @property
    def run(self) -> str:
        """The name of the worker's run; empty before it has one, and when it has ended it."""
        return self._memory[:NAME_BYTES].rstrip(b"\0").decode()

    @run.setter
    def run(self, name: str) -> None:
        for lane in self.lanes:
            lane.forget()
        self._numbers[FINISHED] = 0
        self._memory[:NAME_BYTES] = name.encode().ljust(NAME_BYTES, b"\0")

    @property
    def running(self) -> frozenset[int]:
        """The tokens of the running jobs."""
        return frozenset(lane.running for lane in self.lanes) - {0}

    @property
    def finished(self) -> frozenset[int]:
        """The tokens of jobs that have ended well; those of this run that are not settled yet among them."""
        if not self.is_known:
            return frozenset()
        first = self._first_finished
        listed = self._numbers[first : first + self._numbers[FINISHED]]
        return frozenset([*listed, *(lane.done for lane in self.lanes)]) - {0}

    def clear(self) -> None:
        """Nothing runs any more that anybody could be blamed for."""
        for lane in self.lanes:
            lane.clear()

    def finish(self, lane: Lane, token: int) -> None:
        """The running job of a lane has ended well, and the lane may be used again."""
        numbers = self._numbers
        count = numbers[FINISHED]
        numbers[self._first_finished + count] = token
        numbers[FINISHED] = count + 1
        lane._numbers[RUNNING] = 0

    def forget_finished(self) -> None:
        """What has finished is settled, or was dropped with its run."""
        self._numbers[FINISHED] = 0

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
        """The signal that ends the running jobs, 0 for none yet, and whether they go back."""
        number, goes_back = divmod(self._numbers[ENDS_WITH], 2)
        return number, bool(goes_back)

    def end_with(self, number: int, *, goes_back: bool) -> None:
        """The running jobs shall end, because of a signal to stop that the worker got."""
        self._numbers[ENDS_WITH] = 2 * number + goes_back

    def end_running(self, seconds: float) -> None:
        """The running jobs were told to end, and have this time to clean up."""
        for lane in self.lanes:
            lane.end_running(seconds)

    @property
    def seconds_to_end(self) -> float:
        """How long until one of the running jobs that were told to end has had its time; else ``inf``."""
        return min((lane.seconds_to_end for lane in self.lanes), default=inf)

    @property
    def seconds_to_kill(self) -> float:
        """How long until the process is to be killed for one of its jobs; without a timeout ``inf``."""
        return min((lane.seconds_to_kill for lane in self.lanes), default=inf)
