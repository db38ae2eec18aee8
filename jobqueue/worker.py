"""A worker: one process that claims jobs and performs them, one after another.

One turn settles what has ended, claims a batch and performs it.
"""

from __future__ import annotations

import logging
import os
import time

from jobqueue import lifeline, processtitle, registry
from jobqueue.attention import Attention
from jobqueue.batchsize import BatchSize
from jobqueue.conf import hostname
from jobqueue.consolelog import LOOK
from jobqueue.doorbells import Doorbells
from jobqueue.exceptions import InvalidPayload
from jobqueue.forking import perform_in_child
from jobqueue.inflight import InFlight
from jobqueue.link import UNREACHABLE
from jobqueue.patience import GaveUp
from jobqueue.payload import decode
from jobqueue.performing import perform
from jobqueue.sharedpage import SharedPage
from jobqueue.store.delivery import Claimed
from jobqueue.watchdog import Watchdog
from jobqueue.workeroptions import WorkerOptions

USED_UP = 3
"""Exit status of a worker that has performed its ``jobs_per_fork``, and leaves the rest to the next one."""
FORK_AGAIN_SECONDS = 1.0
"""How long a machine without a process to spare is left in peace."""
LOOK_AGAIN_SECONDS = 1.0
"""How long a worker that cannot wait at doorbells lets Redis rest between two looks."""
KNOWN_QUEUES_SECONDS = 1.0
"""How long a busy worker with patterns may overlook a new queue."""

_log = logging.getLogger("jobqueue")


class Worker:
    """Performs the jobs of its queues until it is told to stop."""

    def __init__(self, options: WorkerOptions, attention: Attention, page: SharedPage) -> None:
        self.id = worker_id(os.getpid(), options)
        self._options = options
        self._attention = attention
        self._parent = os.getppid()
        self._in_flight = InFlight(self.id, time.time(), page, attention)
        self._watchdog = Watchdog(attention, self._hold_if_due, self._in_flight.leave)
        self._bells = Doorbells()
        self._size = BatchSize()
        self._woken_by = ""
        self._silent_bells = 0
        """How often in a row the doorbells could not be waited at."""
        self._performed = 0
        self._known: list[str] = []
        self._known_until = 0.0
        self._single = {each.name for each in registry.definitions() if not each.batch}

    def run(self) -> None:
        """Work until told to stop; raise GaveUp if Redis is away then and not waited for."""
        self._watchdog.start()
        self._work()

    def _work(self) -> None:
        while self._goes_on():
            if not self.turn():
                if self._options.burst:
                    break
                self.wait()
        self.leave()

    @property
    def is_used_up(self) -> bool:
        """Another process shall take its place."""
        return self._options.jobs_per_fork > 1 and self._performed >= self._options.jobs_per_fork

    def turn(self) -> bool:
        """Settle what has ended, claim a batch and perform it; tell whether there was one."""
        self._attention.listen()
        woken_by, self._woken_by = self._woken_by, ""
        if not self._in_flight.claim(self._queues(), self._most(), woken_by):
            return False
        self._watchdog.is_performing.set()
        began, performed = time.monotonic(), self._performed
        while not self._attention.is_stopping and (job := self._in_flight.hand_out(self._is_alone)):
            self._perform(job)
            self._performed += 1
        self._size.observe(self._performed - performed, time.monotonic() - began)
        return True

    def wait(self) -> None:
        """Wait for a doorbell, a signal, or the next look."""
        self._watchdog.is_performing.clear()
        processtitle.show(f"Waiting for {self._options.queues.label}")
        _log.log(LOOK, "worker %s waits for jobs", self.id)
        self._known_until = 0.0
        try:
            self._woken_by = self._bells.wait(
                self._queues(),
                self._options.interval_seconds,
                self._attention.fd,
                new_queues=self._options.queues.has_patterns,
            )
            self._silent_bells = 0
        except UNREACHABLE as error:
            self._note_silence(error)
            self._attention.sleep(LOOK_AGAIN_SECONDS)
        self._attention.drain()
        processtitle.show(f"Working on {self._options.queues.label}")

    def _note_silence(self, error: Exception) -> None:
        """Tell once that the doorbells cannot be heard; when Redis is away, the next claim tells that."""
        self._silent_bells += 1
        if self._silent_bells == 2:
            _log.warning("worker %s cannot wait for rings and looks every second: %s", self.id, error)

    def leave(self) -> None:
        """Put back what has not begun, unregister, and pass on the ring that woke a worker that leaves."""
        self._bells.close()
        if self._woken_by:
            self._in_flight.claim([], 1, self._woken_by)
        self._in_flight.leave()

    def _goes_on(self) -> bool:
        if lifeline.is_orphan(self._parent):
            self._attention.stop()
        return not (self._attention.is_stopping or self.is_used_up)

    def _hold_if_due(self) -> None:
        held = self._in_flight.hold_if_due()
        if held is not None:
            processtitle.show(f"Processing {held.queue} since {int(time.time())} [{_name(held.payload)}]")

    def _perform(self, job: Claimed) -> None:
        outcome = perform(job.payload, job.queue, self.id)
        self._in_flight.end(job, outcome.failure)

    def _is_alone(self, payload: bytes) -> bool:
        """Tell whether nothing may be claimed beside a job: it asks for it, or has ended processes before."""
        return b'"crashes":' in payload or (bool(self._single) and _name(payload) in self._single)

    def _most(self) -> int:
        per_fork = self._options.jobs_per_fork
        return min(self._size.most, per_fork - self._performed) if per_fork else self._size.most

    def _queues(self) -> list[str]:
        """Return the queues to look at now, in order."""
        queues = self._options.queues
        if queues.has_patterns and time.monotonic() >= self._known_until:
            before, self._known = self._known, queues.resolve(self._in_flight.known_queues())
            self._known_until = time.monotonic() + KNOWN_QUEUES_SECONDS
            if not set(self._known) <= set(before):
                self._in_flight.tell_of_new_queues()
        return self._known if queues.has_patterns else queues.resolve(())


class ForkingWorker(Worker):
    """Performs each job in a child process of its own, whose death is the job's failure alone."""

    def run(self) -> None:
        """Work without the watchdog: a process that forks should have no other threads."""
        self._work()

    def _most(self) -> int:
        return 1

    def _is_alone(self, payload: bytes) -> bool:
        return True

    def _perform(self, job: Claimed) -> None:
        processtitle.show(f"Forked for {job.queue} at {int(time.time())}")
        report = perform_in_child(job, self.id, self._attention)
        if report.is_put_back:
            self._in_flight.put_back_running(job)
            self._attention.sleep(0.0 if self._attention.is_stopping else FORK_AGAIN_SECONDS)
        else:
            self._in_flight.end(job, report.entry, was_killed=report.was_killed)


def worker_id(pid: int, options: WorkerOptions) -> str:
    """Return Resque's id of the worker in this process."""
    return f"{hostname()}:{pid}:{options.queues.label}"


def work(options: WorkerOptions, page: SharedPage) -> int:
    """Be a worker, in a process just forked; return its exit status."""
    attention = Attention(options.shutdown_timeout_seconds)
    kind = ForkingWorker if options.jobs_per_fork == 1 else Worker
    try:
        worker = kind(options, attention, page)
        worker.run()
    except GaveUp:
        gone = worker_id(os.getpid(), options)
        _log.warning("worker %s leaves while Redis is away; what it had will be recovered", gone)
        return 1
    return USED_UP if worker.is_used_up else 0


def _name(payload: bytes) -> str:
    try:
        return decode(payload).name
    except InvalidPayload:
        return "unreadable"
