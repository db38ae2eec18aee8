"""The parent process of ``manage.py jobworker``: starts, watches, restarts and stops its workers.

It never runs a job and never waits long for Redis. Its workers die with it; what a dead worker had in
flight it recovers at once, what the dead of other machines had once their heartbeats are too old.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connections
from redis.exceptions import ResponseError

from jobqueue import connection, lifeline, processtitle
from jobqueue.attention import Attention
from jobqueue.backoff import pauses
from jobqueue.conf import settings
from jobqueue.link import UNREACHABLE, Link
from jobqueue.patience import Patience
from jobqueue.recovery import DeadWorker, Judge, SilentRun, exit_text
from jobqueue.sharedpage import SharedPage
from jobqueue.store import runs
from jobqueue.store.runs import LiveRun
from jobqueue.worker import USED_UP, work, worker_id
from jobqueue.workeroptions import WorkerOptions

LOOK_SECONDS = 1.0
SOON_SECONDS = 1.0
"""A worker that dies sooner after its start, without a job, is started again with a growing pause."""
KILL_AFTER_SECONDS = 0.5
"""How much longer than the shutdown timeout a worker may take to put its job back by itself."""

_log = logging.getLogger("jobqueue")


@dataclass
class Slot:
    """A place for one worker process: the one in it now, and when the next one may start."""

    page: SharedPage = field(default_factory=SharedPage)
    pid: int = 0
    started_at: float = 0.0
    """Seconds since the epoch."""
    restart_at: float = 0.0
    """Seconds of ``time.monotonic``."""
    is_finished: bool = False
    """Its worker has left, and no other shall come."""
    is_killed: bool = False
    """The supervisor ended its worker, to stop in time."""


class Supervisor:
    """Keeps ``count`` workers alive until it is told to stop."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._attention = Attention(options.shutdown_timeout_seconds)
        self._patience = Patience(self._attention)
        self._link = Link()
        self._slots = [Slot() for _ in range(options.count)]
        self._pauses = pauses(first=0.5, longest=30.0)
        self._heartbeat_at = 0.0
        self._steady_since = time.monotonic()
        """Since when no heartbeat of its own has failed, and Redis's clock has not jumped."""
        self._ahead = 0.0
        """By how many seconds Redis's clock was ahead of ``time.monotonic`` at the last heartbeat."""
        self._unrecovered: list[tuple[str, DeadWorker]] = []
        self._complained: set[str] = set()
        """Runs that cannot be recovered; each is worth one line of the log."""

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
            self._link.close()
            self._attention.close()

    def turn(self) -> None:
        """Do what is due: reap, pass signals on, recover, start, tell that the workers live."""
        self._reap()
        if self._attention.is_stopping:
            self._stop_workers()
        self._recover_own()
        self._start_missing()
        if time.monotonic() >= self._heartbeat_at:
            self._heartbeat_at = time.monotonic() + settings.heartbeat_seconds
            self._tell_redis(self._heartbeat)

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
        self._link.close()
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
        self._unrecovered.append((slot.page.run, dead))
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

    def _recover_own(self) -> None:
        """Recover the runs of own workers that died; those that Redis did not answer for stay on the list."""
        for run, dead in self._unrecovered.copy():
            if not self._tell_redis(lambda: self._recover(run, dead)):  # noqa: B023 - called at once
                # Redis may have refused this one alone: the next time another one is the first
                self._unrecovered.append(self._unrecovered.pop(0))
                return
            del self._unrecovered[0]

    def _heartbeat(self) -> None:
        alive = [slot for slot in self._slots if slot.pid and slot.page.run]
        redis_now = runs.heartbeat(
            self._link,
            [LiveRun(slot.page.run, worker_id(slot.pid, self._options), slot.started_at) for slot in alive],
        )
        self._note_clock(redis_now - time.monotonic())
        if time.monotonic() - self._steady_since >= settings.dead_after_seconds:
            self._recover_silent()

    def _note_clock(self, ahead: float) -> None:
        """Notice that Redis's clock has jumped, or this machine has slept: then all others look silent."""
        if ahead - self._ahead > settings.heartbeat_seconds:
            self._steady_since = time.monotonic()
        self._ahead = ahead

    def _recover_silent(self) -> None:
        """Recover the runs of others.

        Only after keeping heartbeats for as long as counts as dead: when Redis itself was away, every run
        looks silent, and the living must not be taken for dead.
        """
        judge = SilentRun(max_crashes=settings.max_crashes)
        for run, dead_since_ms in runs.silent_runs(self._link, settings.dead_after_seconds).items():
            try:
                if self._recover(run, judge, dead_since_ms):
                    _log.warning(
                        "run %s sent no heartbeat for %g s: recovered", run, settings.dead_after_seconds
                    )
            except (ResponseError, TimeoutError) as error:
                self._complain(run, error)

    def _recover(self, run: str, judge: Judge, dead_since_ms: int | str = "") -> bool:
        """Recover a run; one that holds what nobody can read stays as it is, and keeps no other waiting."""
        try:
            return runs.recover(self._link, run, judge, dead_since_ms)
        except ValueError as error:
            self._complain(run, error)
            return False

    def _complain(self, run: str, error: Exception) -> None:
        if run not in self._complained:
            _log.error("run %s cannot be recovered: %s", run, error)
            self._complained.add(run)

    def _tell_redis(self, step: Callable[[], object]) -> bool:
        """Do one thing in Redis, or leave it for the next time; tell whether it was done."""
        try:
            step()
        except UNREACHABLE as error:
            self._steady_since = time.monotonic()
            self._patience.note(error)
            return False
        self._patience.note(None)
        return True
