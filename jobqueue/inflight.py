"""What a worker has in flight: the way between its own memory of it and Redis.

Two threads use it, the main one and the watchdog; each step is done under one lock. The main thread holds
the lock while it waits for Redis, so the watchdog takes it only where it is free.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from jobqueue.attention import Attention
from jobqueue.currentrun import CurrentRun
from jobqueue.exceptions import RunLost
from jobqueue.held import Held
from jobqueue.labels import label_of
from jobqueue.link import UNREACHABLE
from jobqueue.locks import lock_of
from jobqueue.patience import GaveUp, Patience
from jobqueue.payload import ID_FIELD, ID_PLACE
from jobqueue.recovery import Ending, Judge
from jobqueue.running import HOLD_AGAIN_SECONDS, Place
from jobqueue.sharedpage import Lane, SharedPage
from jobqueue.store.delivery import Claimed, Endings, Run
from jobqueue.unsettled import Unsettled

HOLD_SECONDS = 0.02
"""A job that runs this long lets the others of its batch go, and is shown on the pages."""
STALE_SECONDS = 1.0
"""No job begins this long after its claim: its process was stopped meanwhile, and may have been given up."""
ABANDON_SECONDS = 0.1
"""How long the watchdog waits for a step of the other thread when all has to be over."""

T = TypeVar("T")

_log = logging.getLogger("jobqueue")


class InFlight:
    """The jobs of one worker process between their claim and their settling."""

    def __init__(self, worker_id: str, started_at: float, page: SharedPage, attention: Attention) -> None:
        self._worker_id = worker_id
        self._page = page
        self._jobs = Unsettled(page)
        # Only with some there is reason to wait for Redis when this process is told to stop
        self._patience = Patience(attention, f"worker {worker_id}", is_worth_it=lambda: bool(self._jobs))
        self._lock = threading.RLock()
        self._waits_alone = False
        self._claimed_at = time.monotonic()
        self._run = CurrentRun(worker_id, started_at, page, self._patience, self._jobs.tokens)

    def ask(self, step: Callable[[Run], T]) -> T:
        """Ask Redis what is no matter of jobs in flight, over the same connection."""
        with self._lock:
            return self._run.ask(step)

    def claim(self, queues: Sequence[str], most: int, woken_by: str = "") -> bool:
        """Settle what has ended and claim the next batch; tell whether there is one to perform."""
        with self._lock:
            self._waits_alone = False
            self._jobs.give_back()
            asked_at = time.monotonic()
            try:
                claimed = self._run.insist(lambda run: run.claim(queues, most, self._jobs.endings, woken_by))
                self._jobs.settled()
                self._jobs.batch.extend(claimed)
                if claimed and time.monotonic() - asked_at > STALE_SECONDS:
                    # The answer was late, or this process was stopped: the run may have been recovered since
                    self._run.insist(lambda run: run.settle(Endings()))
            except RunLost:
                self._lose()
                return self.claim(queues, most, woken_by)
            self._claimed_at = time.monotonic()
            return bool(claimed)

    def hand_out(self, lane: Lane, is_alone: Callable[[bytes], bool]) -> Claimed | None:
        """Return the next job of the batch, which begins now in a lane; None if there is none to begin.

        One that is alone begins when nothing else runs, lets the others of its batch go, and nothing begins
        beside it; while others run it goes back at once, for workers that are free.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._claimed_at > STALE_SECONDS:
                self._jobs.give_back()
            if not self._jobs.batch:
                return None
            job = self._jobs.batch[0]
            if is_alone(job.payload):
                return self._hand_out_alone(lane)
            place = self._jobs.begin(lane, now + HOLD_SECONDS)
            if job.payload[ID_PLACE] != ID_FIELD and not self._has_begun(place, job):
                return None
            lane.begin(job.token)
            return job

    @property
    def is_alone(self) -> bool:
        """A job runs beside which no other may, or one went back that waits until nothing runs here."""
        return self._jobs.places.is_alone or (self._waits_alone and bool(self._jobs.places.busy))

    @property
    def has_batch(self) -> bool:
        """Claimed jobs wait to be handed out."""
        return bool(self._jobs.batch)

    def done(self, job: Claimed) -> None:
        """Note that a job has ended well; Redis is told with the next claim."""
        with self._lock:
            self._jobs.done(job)

    def end(self, job: Claimed, ending: Ending) -> None:
        """Note what becomes of a job; Redis is told at once, except of one that goes back as it is."""
        with self._lock:
            if ending.how == "done":
                self._jobs.done(job)
            elif place := self._jobs.places.of(job):
                self._jobs.end(job, ending)
                if ending.text:
                    self._settle_or_lose(self._settle)
                place.lane.clear()
                place.clear()

    def let_go(self) -> None:
        """Settle what has ended, and put back what has not begun."""
        with self._lock:
            self._jobs.give_back()
            self._settle_or_lose(self._settle)

    def abandon(self, judge: Judge | None) -> None:
        """Leave although jobs run on. The watchdog's step, after which the process ends.

        The running jobs end as a ``judge`` says, without one they go back. Where the other thread does not
        come back from Redis, the page tells the supervisor to do the same.
        """
        if judge is None:
            self._page.clear()
        if not self._lock.acquire(timeout=ABANDON_SECONDS):
            return
        try:
            for job in self._jobs.places.done:
                self.done(job)
            if judge is not None:
                for job in self._jobs.places.jobs:
                    self._end_judged(job, judge)
            self.leave()
        finally:
            self._lock.release()

    def hold_if_due(self) -> Claimed | None:
        """Hold the jobs that have run long enough; return the last one held now. The watchdog's step."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            due = self._jobs.places.due(time.monotonic())
            return self._hold_or_later(due) if due else None
        finally:
            self._lock.release()

    def leave(self) -> None:
        """End the run: settle what has ended, put everything else back, leave no trace.

        Raises GaveUp if Redis stays away; the supervisor then does the same as soon as it is back.
        """
        with self._lock:
            for job in self._jobs.places.jobs:
                _log.warning("put back: %s did not end in time", label_of(job.queue, job.payload))
            self._page.clear()
            self._jobs.give_back()
            self._settle_or_lose(self._settle)
            self._run.end()
            self._jobs.places.clear()

    def _end_judged(self, job: Claimed, judge: Judge) -> None:
        ending = judge(Held(job.token, True, job.queue, job.payload), self._worker_id)
        _log.error("%s: %s did not end in time", ending.how, label_of(job.queue, job.payload))
        self.end(job, ending)

    def _hand_out_alone(self, lane: Lane) -> Claimed | None:
        self._waits_alone = bool(self._jobs.places.busy)
        if self._waits_alone:
            self._jobs.give_back()
            self._settle_or_lose(self._settle)
            return None
        job = self._jobs.batch[0]
        place = self._jobs.begin(lane, 0.0)
        place.is_alone = True
        self._settle_or_lose(lambda: self._hold([place]))
        if place.job is not job or not self._has_begun(place, job):
            return None
        lane.begin(job.token)
        return job

    def _has_begun(self, place: Place, job: Claimed) -> bool:
        """Let an equal job wait from now on, if this is unique until it begins; is it still in flight?"""
        lock = lock_of(job.payload)
        if lock and lock.ends_at_begin:
            self._settle_or_lose(lambda: self._run.do(lambda run: run.begin(job.token, lock)))
        return place.job is job

    def _lose(self) -> None:
        """Others have recovered this run, and what it held is theirs now; or Redis knows neither any more."""
        self._jobs.drop()
        self._claimed_at = time.monotonic()
        self._run.begin_anew()

    def _hold(self, places: Sequence[Place]) -> None:
        """Tell Redis of jobs that they have begun."""
        if not all(place.is_held for place in places):
            self._jobs.give_back()
        jobs = [place.job for place in places if place.job is not None]
        shown = [(job.token, job.shown(time.time())) for job in jobs]
        self._run.do(lambda run: run.start(shown, self._jobs.endings))
        self._jobs.settled()
        for place in places:
            place.is_held = place.is_shown = True

    def _hold_or_later(self, due: Sequence[Place]) -> Claimed | None:
        try:
            self._hold(due)
        except RunLost:
            # A stop that gives Redis up is the other thread's to make; this one has to end its job
            with suppress(GaveUp):
                self._lose()
        except UNREACHABLE as error:
            for place in due:
                place.hold_at = time.monotonic() + HOLD_AGAIN_SECONDS
            self._patience.note(error)
        else:
            return due[-1].job
        return None

    def _settle(self) -> None:
        if self._jobs.endings:
            self._run.do(lambda run: run.settle(self._jobs.endings))
            self._jobs.settled()

    def _settle_or_lose(self, step: Callable[[], None]) -> None:
        try:
            self._patience(step)
        except RunLost:
            self._lose()
