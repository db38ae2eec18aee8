"""The crew of a worker with ``--async``: one event loop for all jobs that are ``async def``."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from jobqueue import asyncperforming, lifeline
from jobqueue.crew import Crew, Ended, Performer, note_on_page
from jobqueue.defined import Defined
from jobqueue.laneinterruption import LaneInterruption, TaskInterruption
from jobqueue.payload import Job
from jobqueue.sharedpage import Lane
from jobqueue.store.delivery import Claimed

_log = logging.getLogger("jobqueue")


class AsyncCrew(Crew):
    """A task for each lane, on an event loop in a thread of its own.

    A job that is not ``async def`` runs in a thread of its lane: on the loop it would hold all others up.
    """

    def __init__(self, lanes: Sequence[Lane], worker_id: str, wake: Callable[[], None]) -> None:
        super().__init__(worker_id, wake)
        self._ways = [TaskInterruption(lane) for lane in lanes]
        self._threads = [Performer(lane, worker_id, self.tell) for lane in lanes]
        self._interruptions = [*self._ways, *(thread.interruption for thread in self._threads)]
        self._tasks: set[asyncio.Task[None]] = set()
        """A loop itself keeps no task from being collected."""
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name="jobqueue-loop", daemon=True).start()

    def begin(self, job: Claimed, lane: Lane) -> None:
        found = asyncperforming.definition_of(job.payload)
        if found is None or not found[0].is_async:
            self._threads[lane.number].begin(job)
        else:
            self._loop.call_soon_threadsafe(self._start, job, lane, *found)

    def interruptions(self) -> Sequence[LaneInterruption]:
        return self._interruptions

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
            except BaseException:
                # SystemExit of a task that a job has started, say: not the end of all the others
                _log.exception("a task on the event loop of worker %s was not caught", self._worker_id)

    def _start(self, claimed: Claimed, lane: Lane, definition: Defined[..., Any], job: Job) -> None:
        task = self._loop.create_task(self._perform(claimed, lane, definition, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(self, claimed: Claimed, lane: Lane, definition: Defined[..., Any], job: Job) -> None:
        began = time.monotonic()
        try:
            way = self._ways[lane.number]
            outcome = await asyncperforming.perform(definition, job, claimed, self._worker_id, way)
            note_on_page(lane, claimed, outcome)
            self.tell(Ended(claimed, lane, outcome, time.monotonic() - began))
        except BaseException:
            _log.exception("the event loop of worker %s broke", self._worker_id)
            lifeline.leave(1)
