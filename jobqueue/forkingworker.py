"""The worker that forks for each job, as Resque does."""

from __future__ import annotations

import time

from jobqueue import processtitle
from jobqueue.attention import Attention
from jobqueue.forking import perform_in_child
from jobqueue.performing import warm_up
from jobqueue.sharedpage import SharedPage
from jobqueue.store.delivery import Claimed
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions

FORK_AGAIN_SECONDS = 1.0
"""How long a machine without a process to spare is left in peace."""


class ForkingWorker(Worker):
    """Performs each job in a child process of its own, whose death is the job's failure alone."""

    def __init__(self, options: WorkerOptions, attention: Attention, page: SharedPage) -> None:
        super().__init__(options, attention, page)
        self._child_page = SharedPage()
        """What a child shares with this process: the supervisor is not to kill that for a job's timeout."""

    def run(self) -> None:
        """Work without the watchdog: a process that forks should have no other threads."""
        warm_up()
        self._work()

    def _listen(self) -> None:
        """Nothing to do: no job runs in this process, so none has changed who hears its signals."""

    def _most(self) -> int:
        return 1

    def _is_alone(self, payload: bytes) -> bool:
        return True

    def _perform(self, job: Claimed) -> None:
        processtitle.show(f"Forked for {job.queue} at {int(time.time())}")
        ending = perform_in_child(job, self.id, self._attention, self._child_page)
        self._in_flight.end_as(job, ending)
        if ending.how == "back" and not ending.text and not self._attention.is_stopping:
            self._attention.sleep(FORK_AGAIN_SECONDS)
