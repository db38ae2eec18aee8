"""The scheduler as a child of the supervisor: started again when it dies, ended with its parent."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import NoReturn

from jobqueue import lifeline, processtitle
from jobqueue.attention import Attention
from jobqueue.backoff import pauses
from jobqueue.forksignals import hear, signals_waiting
from jobqueue.guardian import Guardian
from jobqueue.scheduler import Scheduler, duties
from jobqueue.stopping import StopPlans

TITLE = "Scheduling"
SOON_SECONDS = 10.0
"""One that dies sooner after its start is started again with a growing pause, of 5 s at most."""

_log = logging.getLogger("jobqueue")


class SchedulerProcess:
    """The scheduler of one supervisor, as that sees it."""

    def __init__(self, stops: StopPlans, *, is_wanted: bool) -> None:
        self._pid = 0
        self._stops = stops
        self._is_wanted = is_wanted
        self._started_at = self._start_at = 0.0
        self._pauses = pauses(first=0.5)

    def keep(self, heard: Attention, guardian: Guardian, *, before_fork: Callable[[], None]) -> None:
        """Start a scheduler where one is missing; tell it to leave once the supervisor was told to stop.

        ``heard`` is what the supervisor listens with. A scheduler lets go of the ``guardian``, and has no
        need of one: what ends its supervisor kills it too, wherever it is stuck.
        """
        if heard.is_stopping:
            self._stop()
        elif self._is_missing():
            before_fork()
            self._start(heard, guardian)

    def _is_missing(self) -> bool:
        """Tell whether one is to be started now: the first, or in the place of one that has died."""
        if self._pid:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._note_end(status)
        return self._is_wanted and not self._pid and time.monotonic() >= self._start_at

    def _start(self, heard: Attention, guardian: Guardian) -> None:
        self._started_at = time.monotonic()
        try:
            self._pid = self._fork(heard, guardian)
        except OSError as error:
            _log.error("no scheduler can be started: %s", error)
            self._start_at = time.monotonic() + next(self._pauses)
            return
        _log.info("scheduler %s started", self._pid)

    def _stop(self) -> None:
        if self._is_wanted and self._pid:
            os.kill(self._pid, signal.SIGTERM)
        self._is_wanted = False

    def dismiss(self) -> None:
        """End the scheduler at once; whatever it is doing is done entirely, or not at all."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _note_end(self, status: int) -> None:
        _log.error("scheduler %s died: exit status %s", self._pid, os.waitstatus_to_exitcode(status))
        self._pid = 0
        if time.monotonic() - self._started_at < SOON_SECONDS:
            self._start_at = time.monotonic() + next(self._pauses)
        else:
            self._pauses = pauses(first=0.5)

    def _fork(self, heard: Attention, guardian: Guardian) -> int:
        supervisor = os.getpid()
        lifeline.flush()
        with signals_waiting(), processtitle.shown(TITLE):
            pid = os.fork()
            if pid == 0:
                guardian.forget()
                _be_scheduler(self._stops, heard, supervisor)
        return pid


def _be_scheduler(stops: StopPlans, heard: Attention, supervisor: int) -> NoReturn:
    status = 1
    try:
        # Killed: what it is doing is done entirely or not at all, and being stuck keeps it from no end
        lifeline.die_with_parent(signal.SIGKILL)
        heard.close()
        own = Attention(stops, supervisor=supervisor, is_led=lambda: True)
        if not lifeline.is_orphan(supervisor):
            schedule(own)
        status = 0
    except BaseException:
        _log.exception("scheduler %s broke", os.getpid())
    finally:
        lifeline.leave(status)


def schedule(heard: Attention) -> None:
    """Be a scheduler until told to stop."""
    # Signals that are meant for workers, and sent to the whole group, must not end it
    heard.pass_on()
    hear()
    Scheduler(heard, duties()).run()
