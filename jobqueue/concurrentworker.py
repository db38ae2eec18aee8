"""The worker that performs several jobs at a time, in lanes: threads, or tasks of an event loop.

Its main thread alone claims and settles; it hands a job to each free lane, and is woken when one has ended.
"""

from __future__ import annotations

import signal
from types import FrameType

from jobqueue.asynccrew import AsyncCrew
from jobqueue.attention import Attention
from jobqueue.batchsize import MOST
from jobqueue.crew import Crew, Ended, ThreadCrew
from jobqueue.interruption import END_SIGNAL, term_exception
from jobqueue.sharedpage import SharedPage
from jobqueue.worker import LOOK_AGAIN_SECONDS, Worker
from jobqueue.workeroptions import WorkerOptions


class ConcurrentWorker(Worker):
    """Performs as many jobs at a time as its page has lanes."""

    def __init__(
        self, options: WorkerOptions, attention: Attention, page: SharedPage, started_at: float
    ) -> None:
        super().__init__(options, attention, page, started_at)
        self._free = list(page.lanes)
        kind = AsyncCrew if options.tasks else ThreadCrew
        self._crew: Crew = kind(page.lanes, self.id, attention.wake)

    def run(self) -> None:
        """Work until told to stop; raise GaveUp if Redis is away then and not waited for."""
        self._watchdog.start()
        self._work()

    def turn(self) -> bool:
        """Note what has ended, and let the next jobs begin; tell whether there was anything of either."""
        self._listen()
        has_ended = self._note_ended()
        self._begin()
        if not self._can_claim():
            self._settle_if_idle()
            if not self._has_aged():
                self._attention.sleep(LOOK_AGAIN_SECONDS)
            return True
        woken_by = self._lookout.follow()
        if self._in_flight.claim(self._lookout.queues(), self._most(), woken_by):
            self._watchdog.is_performing.set()
            self._begin()
            return True
        if self._options.burst and self._runs:
            # It may enqueue others
            self._attention.sleep(LOOK_AGAIN_SECONDS)
            return True
        return has_ended

    def wait(self) -> None:
        """Wait for a doorbell, a signal, the end of a job, or the next look."""
        if not self._crew.ended:
            super().wait()

    def pause(self) -> None:
        """Put back what has not begun, wait for what has, and do nothing until told to continue or leave."""
        self._lookout.leave()
        self._tend()
        while self._runs and self._attention.is_paused and self._goes_on():
            self._attention.sleep(LOOK_AGAIN_SECONDS)
            self._tend()
        if not self._runs:
            super().pause()

    def leave(self) -> None:
        """Put back what has not begun, wait for what has, and unregister."""
        self._lookout.leave()
        self._tend()
        while self._runs:
            self._attention.sleep(LOOK_AGAIN_SECONDS)
            self._tend()
        super().leave()

    @property
    def _runs(self) -> int:
        """How many jobs run."""
        return len(self._page.lanes) - len(self._free)

    def _can_claim(self) -> bool:
        waits = not self._free or self._in_flight.has_batch or self._in_flight.is_alone
        return not waits and self._most() > 0 and self._attention.is_free

    def _settle_if_idle(self) -> None:
        """Settle what no claim is going to settle soon: none follows until another job has ended."""
        if not self._in_flight.has_batch:
            self._tend()

    def _begin(self) -> None:
        """Hand jobs of the batch to free lanes."""
        while self._free and self._attention.is_free:
            job = self._in_flight.hand_out(self._free[-1], self._is_alone)
            if job is None:
                return
            self._crew.begin(job, self._free.pop())

    def _note_ended(self) -> bool:
        """Note what has ended; tell whether anything has."""
        before = self._performed
        while self._crew.ended:
            self._note_end(self._crew.ended.popleft())
        return self._performed > before

    def _note_end(self, ended: Ended) -> None:
        self._free.append(ended.lane)
        self._note(ended.job, ended.outcome)
        self._performed += 1
        self._size.observe(1, ended.seconds)

    def _tend(self) -> None:
        self._note_ended()
        self._in_flight.let_go()

    def _rest(self) -> None:
        if not self._runs:
            super()._rest()

    def _most(self) -> int:
        most = min(MOST, self._size.most * len(self._free))
        per_fork = self._options.jobs_per_fork
        return min(most, per_fork - self._performed - self._runs) if per_fork else most

    def _listen(self) -> None:
        self._attention.listen()
        signal.signal(END_SIGNAL, self._end_now)

    def _end_now(self, number: int, frame: FrameType | None) -> None:
        if error := self._end_of_jobs.why():
            for interruption in self._crew.interruptions():
                interruption.end(error)

    def _end_running(self) -> None:
        self._end_of_jobs.begin()
        for interruption in self._crew.interruptions():
            interruption.end(term_exception(self._page))

    def _hold_if_due(self) -> None:
        # First, since Redis may keep the rest waiting
        for interruption in self._crew.interruptions():
            interruption.end_if_overrun()
            # The signal may have come before the job was there to be ended
            interruption.end_if_told(self._page)
        super()._hold_if_due()
