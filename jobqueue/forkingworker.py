"""The worker that forks for each job, as Resque does."""

from __future__ import annotations

import time

from jobqueue import processtitle
from jobqueue.attention import Attention
from jobqueue.forking import Forking
from jobqueue.performing import warm_up
from jobqueue.sharedpage import SharedPage
from jobqueue.store.delivery import Claimed
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions

FORK_AGAIN_SECONDS = 1.0
"""How long a machine without a process to spare is left in peace."""


class ForkingWorker(Worker):
    """Performs each job in a child process of its own, whose death is the job's failure alone."""

    def __init__(
        self, options: WorkerOptions, attention: Attention, page: SharedPage, started_at: float
    ) -> None:
        super().__init__(options, attention, page, started_at)
        self._forking = Forking(self.id, attention, self._hold_if_due)

    def run(self) -> None:
        """Work without the watchdog: a process that forks should have no other threads."""
        warm_up()
        self._work()

    def _listen(self) -> None:
        """Nothing to do: no job runs in this process, so none has changed who hears its signals."""

    def _most(self) -> int:
        return self._size.most

    def _perform(self, job: Claimed) -> None:
        # Before the fork: the child inherits it, and writes into no page of its own for it
        processtitle.show(f"Processing {job.queue}")
        ending = self._forking.perform(job)
        self._in_flight.end(job, ending)
        if ending.how == "back" and not ending.text and not self._attention.is_stopping:
            self._attention.sleep(FORK_AGAIN_SECONDS)

    def _hold_if_due(self) -> None:
        held = self._in_flight.hold_if_due()
        if held is not None:
            processtitle.show(f"Forked for {held.queue} at {int(time.time())}")
