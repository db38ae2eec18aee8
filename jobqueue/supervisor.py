"""The parent process of ``manage.py jobworker``: starts, watches, restarts and stops its workers.

It never runs a job and never waits long for Redis. Its workers die with it.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from itertools import chain

from django.db import connections

from jobqueue import connection, forksignals, processtitle, renewal, scripts
from jobqueue.attention import MEANING, RENEW_SIGNAL, Attention
from jobqueue.backoff import pauses
from jobqueue.guardian import Guardian
from jobqueue.interruption import END_SIGNAL
from jobqueue.patience import Patience
from jobqueue.recovering import Recoverer
from jobqueue.recovery import exit_text
from jobqueue.renewal import Inherited
from jobqueue.schedulerprocess import SchedulerProcess
from jobqueue.sharedpage import SharedPage
from jobqueue.signoflife import SignOfLife
from jobqueue.slot import KILL_AFTER_SECONDS, REPLACE, Slot
from jobqueue.stopping import STOP_SIGNALS
from jobqueue.store.runs import LiveRun
from jobqueue.worker import worker_id
from jobqueue.workeroptions import WorkerOptions
from jobqueue.workerprocess import fork_worker

LOOK_SECONDS = 1.0
MIN_LOOK_SECONDS = 0.02
"""What has to be killed may take a moment to die."""
SOON_SECONDS = 1.0
"""A worker that dies sooner after its start, without a job, is started again with a growing pause."""
_log = logging.getLogger("jobqueue")


class Supervisor:
    """Keeps ``count`` workers alive until it is told to stop."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        inherited = renewal.inherited()
        self._retiring = inherited.workers
        """Workers of older code, which leave after their running job."""
        self._attention = Attention(options.stops, is_paused=inherited.is_paused)
        self._attention.pass_on()
        forksignals.hear()
        self._renewal = renewal.Renewal()
        self._recoverer = Recoverer(Patience(self._attention, f"supervisor {os.getpid()}"))
        self._slots = [Slot() for _ in range(options.count)]
        self._pauses = pauses(first=0.5, longest=30.0)
        self._sign_of_life = SignOfLife(options.count)
        orphans_seconds = options.stops.for_orphans.seconds + KILL_AFTER_SECONDS
        self._guardian = Guardian(orphans_seconds, inherited.guardian)
        self._scheduler = SchedulerProcess(options.stops, is_wanted=options.has_scheduler)

    def run(self) -> None:
        """Supervise until every worker has left."""
        processtitle.show(f"Supervising {self._options.count} for {self._options.queues.label}")
        processtitle.warn_if_not_shown()
        # What a first use of Redis makes for good, the children then share
        scripts.load_all()
        self._recoverer.heartbeat_now(self._alive)
        gc.freeze()
        try:
            self.turn()
            while self._retiring or not all(slot.is_finished for slot in self._slots):
                self._attention.sleep(self._seconds_to_next_look())
                self.turn()
        finally:
            self._renewal.close()
            self._scheduler.dismiss()
            if not self._workers():
                self._guardian.dismiss()
            self._sign_of_life.withdraw()
            self._recoverer.close()
            self._attention.close()

    def _seconds_to_next_look(self) -> float:
        # A timeout that is set meanwhile is over later, unless with its grace time it is shorter than a look
        kills = [slot.seconds_to_kill for slot in self._workers()]
        stop = self._attention.stop_by + KILL_AFTER_SECONDS - time.monotonic()
        return max(MIN_LOOK_SECONDS, min([LOOK_SECONDS, stop, *kills]))

    def turn(self) -> None:
        """Do what is due: reap, pass signals on, recover, start, tell that the workers live."""
        self._reap()
        self._pass_signals_on()
        self._stop_or_kill()
        self._recoverer.recover_own()
        self._keep_guardian()
        self._scheduler.keep(self._attention, self._guardian, before_fork=self._disconnect)
        self._start_missing()
        self._retire_old()
        self._renew_if_due()
        self._log_stacks()
        self._sign_of_life.give(workers=sum(slot.pid > 0 for slot in self._slots))
        self._recoverer.heartbeat_if_due(self._alive)

    def _workers(self) -> list[Slot]:
        """Return the slots that have a worker now."""
        return [slot for slot in chain(self._slots, self._retiring) if slot.pid]

    def _alive(self) -> list[LiveRun]:
        return [
            LiveRun(slot.page.run, slot.worker_id, slot.started_at)
            for slot in self._workers()
            if slot.page.run
        ]

    # Starting

    def _start_missing(self) -> None:
        for place, slot in enumerate(self._slots):
            if slot.pid or slot.is_finished:
                continue
            if self._attention.is_stopping:
                slot.is_finished = True
            elif time.monotonic() >= slot.restart_at:
                self._start(place)

    def _keep_guardian(self) -> None:
        if self._guardian.is_missing():
            self._disconnect()
            self._guardian.start(slot.pid for slot in self._workers())

    def _disconnect(self) -> None:
        """Before a fork: two processes on one socket garble each other."""
        self._recoverer.close()
        connection.disconnect()
        connections.close_all()

    def _start(self, place: int) -> None:
        """Fork a worker."""
        self._disconnect()
        before = self._slots[place]
        try:
            slot = Slot(SharedPage(self._options.lanes), started_at=time.time())
            slot.pid = fork_worker(self._options, slot, self._attention, self._guardian)
        except OSError as error:
            # This machine has no process or memory to spare now
            _log.error("no worker can be started: %s", error)
            before.restart_at = time.monotonic() + next(self._pauses)
            return
        self._guardian.guard(slot.pid)
        slot.worker_id = worker_id(slot.pid, self._options)
        self._slots[place] = slot
        before.close()
        _log.info("worker %s started", slot.worker_id)

    # Ending

    def _reap(self) -> None:
        for slot in self._workers():
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if pid:
                self._note_end(slot, status)
        for slot in [slot for slot in self._retiring if not slot.pid]:
            self._retiring.remove(slot)
            slot.close()

    def _note_end(self, slot: Slot, status: int) -> None:
        pid, slot.pid = slot.pid, 0
        code = os.waitstatus_to_exitcode(status)
        if code in (0, REPLACE) and not slot.page.run:
            slot.is_finished = self._options.burst and code != REPLACE
            _log.info("worker %s left", slot.worker_id)
            return
        how = exit_text(pid, status) if slot.page.running else f"exit status {code}, with no job"
        _log.error("worker %s died: %s", slot.worker_id, how)
        self._recoverer.owe(slot.page.run, slot.dead(pid, status))
        if not slot.suspects and time.time() - slot.started_at < SOON_SECONDS:
            slot.restart_at = time.monotonic() + next(self._pauses)
        else:
            self._pauses = pauses(first=0.5, longest=30.0)

    # Signals

    def _pass_signals_on(self) -> None:
        for number in self._attention.news():
            _log.info("%s: %s", signal.Signals(number).name, MEANING[signal.Signals(number)])
            if number == RENEW_SIGNAL:
                self._renewal.begin()
            elif number == END_SIGNAL:
                for slot in self._workers():
                    slot.end_jobs(number, self._attention.cleanup_seconds)
            elif number not in STOP_SIGNALS:
                for slot in self._workers():
                    slot.send(number)

    def _stop_or_kill(self) -> None:
        """Pass a stop on; a second one, or one that takes too long, ends the workers at once."""
        heard = self._attention
        is_late = heard.stops > 1 or time.monotonic() > heard.stop_by + KILL_AFTER_SECONDS
        for slot in self._workers():
            if is_late:
                slot.kill(is_blameless=not heard.plan.fails)
            elif heard.is_stopping:
                slot.stop(heard.stop_signal)
            slot.kill_if_stuck()
            slot.kill_if_overrun()

    # Taking new code

    def _retire_old(self) -> None:
        """Let the workers of older code leave once others are there in their place."""
        if all(slot.page.is_ready or slot.is_finished for slot in self._slots):
            for slot in self._retiring:
                slot.retire(RENEW_SIGNAL)

    def _renew_if_due(self) -> None:
        """Become the new program, with nothing left undone that only this one knows of."""
        is_killing = any(slot.killed_for for slot in self._workers())
        if self._attention.is_stopping or self._recoverer.owes or is_killing:
            return
        if self._renewal.is_due():
            self._recoverer.heartbeat_now(self._alive)
            with forksignals.signals_waiting():
                # A stop that has come by now is known here alone; one that comes later, the new program hears
                if not self._attention.is_stopping:
                    self._scheduler.dismiss()
                    paused = self._attention.is_paused
                    self._renewal.execute(Inherited(self._workers(), paused, self._guardian.handle))

    def _log_stacks(self) -> None:
        for slot in self._workers():
            if stacks := slot.stacks.take():
                _log.warning("stacks of worker %s:\n%s", slot.worker_id, stacks)
