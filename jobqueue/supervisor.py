"""The parent process of ``manage.py jobworker``: starts, watches, restarts and stops its workers.

It never runs a job and never waits long for Redis. Its workers die with it.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time

from django.db import connections

from jobqueue import connection, lifeline, processtitle
from jobqueue.attention import Attention
from jobqueue.backoff import pauses
from jobqueue.patience import Patience
from jobqueue.recovering import Recoverer
from jobqueue.recovery import DeadWorker, exit_text
from jobqueue.sharedpage import SharedPage
from jobqueue.signoflife import SignOfLife
from jobqueue.slot import Slot
from jobqueue.store.runs import LiveRun
from jobqueue.worker import USED_UP, work, worker_id
from jobqueue.workeroptions import WorkerOptions

LOOK_SECONDS = 1.0
SOON_SECONDS = 1.0
"""A worker that dies sooner after its start, without a job, is started again with a growing pause."""
KILL_AFTER_SECONDS = 0.5
"""How much longer than the shutdown timeout a worker may take to put its job back by itself."""

_log = logging.getLogger("jobqueue")


class Supervisor:
    """Keeps ``count`` workers alive until it is told to stop."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._attention = Attention(options.shutdown_timeout_seconds)
        self._recoverer = Recoverer(Patience(self._attention, f"supervisor {os.getpid()}"))
        self._slots = [Slot() for _ in range(options.count)]
        self._pauses = pauses(first=0.5, longest=30.0)
        self._sign_of_life = SignOfLife(options.count)

    def run(self) -> None:
        """Supervise until every worker has left."""
        processtitle.show(f"Supervising {self._options.count} for {self._options.queues.label}")
        processtitle.warn_if_not_shown()
        gc.freeze()
        try:
            self.turn()
            while not all(slot.is_finished for slot in self._slots):
                self._attention.sleep(LOOK_SECONDS)
                self.turn()
        finally:
            self._sign_of_life.withdraw()
            self._recoverer.close()
            self._attention.close()

    def turn(self) -> None:
        """Do what is due: reap, pass signals on, recover, start, tell that the workers live."""
        self._reap()
        if self._attention.is_stopping:
            self._stop_workers()
        self._recoverer.recover_own()
        self._start_missing()
        self._sign_of_life.give(workers=sum(slot.pid > 0 for slot in self._slots))
        self._recoverer.heartbeat_if_due(self._alive)

    def _alive(self) -> list[LiveRun]:
        return [
            LiveRun(slot.page.run, worker_id(slot.pid, self._options), slot.started_at)
            for slot in self._slots
            if slot.pid and slot.page.run
        ]

    def _start_missing(self) -> None:
        for slot in self._slots:
            if slot.pid or slot.is_finished:
                continue
            if self._attention.is_stopping:
                slot.is_finished = True
            elif time.monotonic() >= slot.restart_at:
                self._start(slot)

    def _start(self, slot: Slot) -> None:
        """Fork a worker. It inherits no connection: two processes on one socket garble each other."""
        self._recoverer.close()
        connection.disconnect()
        connections.close_all()
        lifeline.flush()
        supervisor = os.getpid()
        try:
            slot.page, slot.started_at = SharedPage(), time.time()
            pid = os.fork()
        except OSError as error:
            # This machine has no process or memory to spare now
            _log.error("no worker can be started: %s", error)
            slot.restart_at = time.monotonic() + next(self._pauses)
            return
        if pid == 0:
            self._be_worker(slot, supervisor)
        slot.pid = pid
        _log.info("worker %s started", worker_id(pid, self._options))

    def _be_worker(self, slot: Slot, supervisor: int) -> None:
        """Do the worker's part of the fork, which never returns."""
        status = 1
        try:
            self._attention.close()
            lifeline.die_with_parent(signal.SIGTERM)
            if not lifeline.is_orphan(supervisor):
                status = work(self._options, slot.page)
        except BaseException:
            _log.exception("worker %s broke", worker_id(os.getpid(), self._options))
        finally:
            lifeline.leave(status)

    def _reap(self) -> None:
        for slot in self._slots:
            if slot.pid:
                pid, status = os.waitpid(slot.pid, os.WNOHANG)
                if pid:
                    self._note_end(slot, status)

    def _note_end(self, slot: Slot, status: int) -> None:
        pid, slot.pid = slot.pid, 0
        code = os.waitstatus_to_exitcode(status)
        if code in (0, USED_UP) and not slot.page.run:
            slot.is_finished = self._options.burst and code != USED_UP
            _log.info("worker %s left", worker_id(pid, self._options))
            return
        how = exit_text(pid, status) if slot.page.running else f"exit status {code}, with no job"
        _log.error("worker %s died: %s", worker_id(pid, self._options), how)
        dead = DeadWorker(
            pid=pid,
            status=status,
            running=slot.page.running,
            finished=slot.page.finished,
            is_blameless=slot.is_killed,
        )
        self._recoverer.owe(slot.page.run, dead)
        if not dead.running and time.time() - slot.started_at < SOON_SECONDS:
            slot.restart_at = time.monotonic() + next(self._pauses)
        else:
            self._pauses = pauses(first=0.5, longest=30.0)

    def _stop_workers(self) -> None:
        """Pass the stop on; a second one, or one that takes too long, ends the workers at once."""
        is_late = time.monotonic() > self._attention.stop_by + KILL_AFTER_SECONDS
        for slot in self._slots:
            if not slot.pid:
                continue
            if self._attention.stops > 1 or is_late:
                slot.is_killed = True
                os.kill(slot.pid, signal.SIGKILL)
            else:
                os.kill(slot.pid, signal.SIGTERM)
