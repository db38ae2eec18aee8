"""Who performs the jobs of a worker that performs several at a time."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import NamedTuple

from jobqueue import lifeline
from jobqueue.laneinterruption import LaneInterruption, ThreadInterruption
from jobqueue.outcome import Kind, Outcome
from jobqueue.performing import perform
from jobqueue.sharedpage import Lane
from jobqueue.store.delivery import Claimed

_log = logging.getLogger("jobqueue")


class Ended(NamedTuple):
    """A job that has ended in its lane."""

    job: Claimed
    lane: Lane
    outcome: Outcome
    seconds: float
    """How long it ran."""


class Crew(ABC):
    """Performs one job in each lane, and lays them into ``ended``, whose reader it wakes."""

    def __init__(self, worker_id: str, wake: Callable[[], None]) -> None:
        self.ended: deque[Ended] = deque()
        self._worker_id = worker_id
        self._wake = wake

    @abstractmethod
    def begin(self, job: Claimed, lane: Lane) -> None:
        """Perform a job in a lane where none runs; return at once."""

    @abstractmethod
    def interruptions(self) -> Sequence[LaneInterruption]:
        """Return the ways to the running jobs."""

    def tell(self, ended: Ended) -> None:
        """Note that a job has ended."""
        self.ended.append(ended)
        self._wake()


class ThreadCrew(Crew):
    """A thread for each lane."""

    def __init__(self, lanes: Sequence[Lane], worker_id: str, wake: Callable[[], None]) -> None:
        super().__init__(worker_id, wake)
        self._threads = [Performer(lane, worker_id, self.tell) for lane in lanes]

    def begin(self, job: Claimed, lane: Lane) -> None:
        self._threads[lane.number].begin(job)

    def interruptions(self) -> Sequence[LaneInterruption]:
        return [thread.interruption for thread in self._threads]


class Performer(threading.Thread):
    """Performs the jobs of one lane."""

    def __init__(self, lane: Lane, worker_id: str, tell: Callable[[Ended], None]) -> None:
        super().__init__(name="jobqueue-lane", daemon=True)
        self._lane = lane
        self._worker_id = worker_id
        self._tell = tell
        self._jobs: SimpleQueue[Claimed] = SimpleQueue()
        self.interruption = ThreadInterruption(lane)

    def begin(self, job: Claimed) -> None:
        """Perform a job now; the thread starts with its first one."""
        self._jobs.put(job)
        if self.ident is None:
            self.start()

    def run(self) -> None:
        # It keeps no signals away, since programs that a job starts would begin without them; one that it
        # gets wakes the main thread all the same
        try:
            while True:
                self._perform(self._jobs.get())
        except BaseException:
            _log.exception("a thread of worker %s broke", self._worker_id)
            lifeline.leave(1)

    def _perform(self, job: Claimed) -> None:
        began = time.monotonic()
        outcome = perform(job.payload, job.queue, self._worker_id, self.interruption)
        note_on_page(self._lane, job, outcome)
        self._tell(Ended(job, self._lane, outcome, time.monotonic() - began))


def note_on_page(lane: Lane, job: Claimed, outcome: Outcome) -> None:
    """Write how a job ended, for whoever performed it: the main thread may wait for Redis, or die before."""
    if outcome.kind is Kind.DONE:
        lane.finish(job.token)
    elif outcome.kind is Kind.PUT_BACK:
        lane.drop(job.token)
    else:
        # Its failure is no longer than in memory, until Redis has it
        lane.forget_end()
