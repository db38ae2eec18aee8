"""A worker: one process that claims jobs and performs them, one after another.

One turn settles what has ended, claims a batch and performs it.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

from jobqueue import memory, processtitle, registry, signals
from jobqueue.attention import Attention
from jobqueue.batchsize import BatchSize
from jobqueue.conf import hostname, settings
from jobqueue.consolelog import LOOK
from jobqueue.endofjobs import EndOfJobs
from jobqueue.exceptions import InvalidPayload
from jobqueue.focus import Focus
from jobqueue.inflight import InFlight
from jobqueue.interruption import END_SIGNAL, interruption
from jobqueue.lookout import Lookout
from jobqueue.outcome import Outcome
from jobqueue.payload import ID_FIELD, ID_PLACE, decode
from jobqueue.performing import perform
from jobqueue.sharedpage import SharedPage
from jobqueue.store.delivery import Claimed
from jobqueue.watchdog import Watchdog
from jobqueue.workeroptions import WorkerOptions

LOOK_AGAIN_SECONDS = 1.0
"""How long a worker that cannot wait at doorbells lets Redis rest between two looks."""

_log = logging.getLogger("jobqueue")


class Worker:
    """Performs the jobs of its queues until it is told to stop."""

    def __init__(
        self, options: WorkerOptions, attention: Attention, page: SharedPage, started_at: float
    ) -> None:
        """``started_at`` is what its supervisor tells of it too: seconds since the epoch."""
        self.id = worker_id(os.getpid(), options)
        self._options = options
        self._attention = attention
        self._page = page
        self._lane = page.lanes[0]
        self._in_flight = InFlight(self.id, started_at, page, attention)
        self._end_of_jobs = EndOfJobs(attention, page)
        self._watchdog = Watchdog(
            attention, hold_if_due=self._hold_if_due, end=self._end_running, abandon=self._abandon
        )
        self._lookout = Lookout(self.id, options.queues, self._in_flight)
        self._size = BatchSize()
        self._focus = Focus()
        self._performed = 0
        self._listened_after = -1
        self.is_used_up = False
        """Another process shall take its place."""
        self.is_done = False
        """It has found no more jobs, and was not asked to wait for others."""
        self._single = {each.name for each in registry.definitions() if not each.batch}

    def run(self) -> None:
        """Work until told to stop; raise GaveUp if Redis is away then and not waited for."""
        interruption.keep_timeouts(self._lane, settings.job_timeout_seconds)
        self._watchdog.start()
        self._work()

    def _work(self) -> None:
        self._page.be_ready()
        while self._goes_on():
            if self._attention.is_paused:
                self.pause()
            elif self.turn():
                self.is_used_up = self._has_aged() or self._has_grown()
            elif self._options.burst:
                self.is_done = True
            else:
                self.wait()
        self.leave()

    def turn(self) -> bool:
        """Settle what has ended, claim a batch and perform it; tell whether there was one."""
        if self._listened_after != self._performed:  # a job may have changed who hears signals
            self._listen()
            self._listened_after = self._performed
        woken_by, most, queue = self._lookout.follow(), self._most(), ""
        queues = self._lookout.queues()
        if not self._focus.claim(queues, lambda some: self._in_flight.claim(some, most, woken_by)):
            return False
        self._watchdog.is_performing.set()
        began, before = time.monotonic(), self._performed
        while self._attention.is_free and (job := self._in_flight.hand_out(self._lane, self._is_alone)):
            queue = job.queue
            self._perform(job)
            self._performed += 1
        performed = self._performed - before
        self._size.observe(performed, time.monotonic() - began)
        self._focus.note(queue if performed == most else "")
        return True

    def wait(self) -> None:
        """Wait for a doorbell, a signal, or the next look."""
        self._rest()
        _log.log(LOOK, "worker %s waits for jobs", self.id)
        if not self._lookout.wait(self._options.interval_seconds, self._attention.fd):
            self._attention.sleep(LOOK_AGAIN_SECONDS)
        self._focus.hear(self._lookout.woken_by)
        self._attention.drain()
        processtitle.show(f"Working on {self._options.queues.label}")

    def pause(self) -> None:
        """Put back what has not begun, and do nothing until told to continue or to leave."""
        self._rest()
        self._listen()
        self._lookout.leave()
        self._tend()
        processtitle.show("Paused")
        _log.info("worker %s is paused", self.id)
        signals.worker_paused.send_robust(type(self), worker_id=self.id)
        while self._attention.is_paused and self._goes_on():
            self._attention.sleep(LOOK_AGAIN_SECONDS)
            self._tend()
        if not self._attention.is_paused:
            _log.info("worker %s continues", self.id)
            signals.worker_continued.send_robust(type(self), worker_id=self.id)

    def leave(self) -> None:
        """Put back what has not begun, unregister, and pass on the ring that woke a worker that leaves."""
        self._lookout.leave()
        self._in_flight.leave()

    def _rest(self) -> None:
        """Nothing is performed for a while."""
        self._watchdog.is_performing.clear()
        processtitle.show(f"Waiting for {self._options.queues.label}")

    def _tend(self) -> None:
        """Put back what has not begun, and settle what has ended."""
        self._in_flight.let_go()

    def _listen(self) -> None:
        """Hear signals, even if a job has changed who hears them."""
        self._attention.listen()
        interruption.listen(self._end_of_jobs.why)

    def _goes_on(self) -> bool:
        self._attention.look_for_supervisor()
        return not (self._attention.is_stopping or self._page.retires or self.is_used_up or self.is_done)

    def _has_aged(self) -> bool:
        return self._options.jobs_per_fork > 1 and self._performed >= self._options.jobs_per_fork

    def _has_grown(self) -> bool:
        most = self._options.max_memory_mb
        if not most or (now := memory.resident_mb()) <= most:
            return False
        _log.info("worker %s has grown to %.0f MB, beyond %g: it is replaced", self.id, now, most)
        return True

    def _end_running(self) -> None:
        """End a job whose time is over in a stop. The watchdog's step."""
        if interruption.is_open:
            self._end_of_jobs.begin()
            signal.pthread_kill(threading.main_thread().ident or 0, END_SIGNAL)

    def _abandon(self) -> None:
        """Leave although a job runs on. The watchdog's step."""
        self._in_flight.abandon(self._end_of_jobs.judge())

    def _hold_if_due(self) -> None:
        held = self._in_flight.hold_if_due()
        if held is not None:
            processtitle.show(f"Processing {held.queue} since {int(time.time())} [{_name(held.payload)}]")

    def _perform(self, job: Claimed) -> None:
        self._note(job, perform(job.payload, job.queue, self.id))

    def _note(self, job: Claimed, outcome: Outcome) -> None:
        if outcome.error is None:
            self._in_flight.done(job)
        else:
            self._in_flight.end(job, outcome.ending(job.token))

    def _is_alone(self, payload: bytes) -> bool:
        """Tell whether nothing may be claimed beside a job: it asks for it, or has ended processes before."""
        has_crashed = payload[ID_PLACE] != ID_FIELD and b'"crashes":' in payload
        return has_crashed or (bool(self._single) and _name(payload) in self._single)

    def _most(self) -> int:
        per_fork = self._options.jobs_per_fork
        return min(self._size.most, per_fork - self._performed) if per_fork else self._size.most


def worker_id(pid: int, options: WorkerOptions) -> str:
    """Return Resque's id of the worker in this process."""
    return f"{hostname()}:{pid}:{options.queues.label}"


def _name(payload: bytes) -> str:
    try:
        return decode(payload).name
    except InvalidPayload:
        return "unreadable"
