"""Perform jobs each in a child process of its own, as Resque does."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable

from jobqueue import lifeline, registry
from jobqueue.attention import PASSED_ON, Attention
from jobqueue.childreport import ChildReport
from jobqueue.conf import settings
from jobqueue.exceptions import JobTimeout, TermException
from jobqueue.forksignals import hear, leave_to_parent, signals_waiting
from jobqueue.held import Held
from jobqueue.interruption import END_SIGNAL, interruption, term_exception
from jobqueue.outcome import Kind, Outcome
from jobqueue.performing import perform
from jobqueue.recovery import Ending, Overrun, after_crash, after_kill, exit_text, no_retry
from jobqueue.store.delivery import Claimed

HOW = ("failed", "later", "back")
"""What the first byte of a report tells; behind it come the pause of what is tried again, and the text."""
PAUSE_BYTES = 8
LOOK_SECONDS = 1.0
FIRST_LOOK_SECONDS = 0.02
"""Most jobs have ended before, and cost no look at what else there may be to do."""

_log = logging.getLogger("jobqueue")


class Forking:
    """The way in which one worker has jobs performed, one after another."""

    def __init__(self, worker_id: str, attention: Attention, look: Callable[[], object]) -> None:
        """``look`` is called now and then while a child performs a job that lasts.

        As long as it takes, signals for the child and its timeout wait.
        """
        self._worker_id = worker_id
        self._attention = attention
        self._look = look
        self._report = ChildReport()
        self._timeout_seconds = settings.job_timeout_seconds

    def perform(self, job: Claimed) -> Ending:
        """Fork, let the child perform the job, and wait for its end.

        A job that goes back with no payload goes as it is.
        """
        self._report.begin(job.token)
        self._attention.news()  # what came before is not meant for this job
        try:
            pid = self._fork(job)
        except OSError as error:
            _log.error("no child can be forked: %s", error)
            return Ending(job.token, "back")
        child = _Child(pid, self._attention, self._report, self._look)
        child.wait()
        if self._report.is_done(job.token):
            return Ending(job.token, "done")
        if report := self._report.take():
            return _ending(job.token, report)
        return self._ending_of_dead(job, child)

    def _fork(self, job: Claimed) -> int:
        """Return the pid of a child that performs the job.

        Raises OSError if the machine has no process to spare.
        """
        lifeline.flush()
        worker = os.getpid()
        with signals_waiting():
            pid = os.fork()
            if pid == 0:
                self._perform_and_report(job, worker)
        return pid

    def _perform_and_report(self, job: Claimed, worker: int) -> None:
        """Do the child's part, which never returns; leaving without a report tells that it died.

        ``worker`` is the pid of the process that has forked it.
        """
        try:
            leave_to_parent()
            interruption.await_job()
            interruption.keep_timeouts(self._report.page.lanes[0], self._timeout_seconds)
            interruption.listen(lambda: term_exception(self._report.page))
            hear()
            lifeline.die_with_parent(signal.SIGKILL)
            # A worker that has died before that told nobody, and its job is recovered already
            if not lifeline.is_orphan(worker):
                self._tell(job, perform(job.payload, job.queue, self._worker_id))
        finally:
            lifeline.leave(0)

    def _tell(self, job: Claimed, outcome: Outcome) -> None:
        if outcome.kind is Kind.DONE:
            self._report.done(job.token)
        else:
            self._report.write(_report(outcome.ending(job.token)))

    def _ending_of_dead(self, job: Claimed, child: _Child) -> Ending:
        held = Held(job.token, True, job.queue, job.payload)
        if child.overrun:
            return after_kill(held, self._worker_id, JobTimeout(str(child.overrun)), registry.retry_policy)
        how = exit_text(child.pid, child.status)
        if self._attention.is_overdue:
            if not self._attention.plan.fails:
                return Ending(job.token, "back")
            why = TermException(how, stops=True)
            return after_kill(held, self._worker_id, why, registry.retry_policy)
        policy_of = no_retry if child.is_killed else registry.crash_policy
        return after_crash(held, self._worker_id, how, policy_of)


def _report(ending: Ending) -> bytes:
    """Write down what becomes of a job that has not ended well."""
    return HOW.index(ending.how).to_bytes() + ending.pause_ms.to_bytes(PAUSE_BYTES) + ending.text


def _ending(token: int, report: bytes) -> Ending:
    """Read what ``_report`` has written."""
    start = 1 + PAUSE_BYTES
    return Ending(token, HOW[report[0]], report[start:], int.from_bytes(report[1:start]))


class _Child:
    """The process of one job, as its worker sees it."""

    def __init__(
        self, pid: int, attention: Attention, report: ChildReport, look: Callable[[], object]
    ) -> None:
        self.pid = pid
        self._attention = attention
        self._page = report.page
        self._look = look
        self._kill_by = float("inf")
        """When a job that was told to end has to have ended, in seconds of ``time.monotonic``."""
        self._is_told = False
        self.is_killed = False
        """The worker has killed it."""
        self.overrun: Overrun | None = None
        """The worker has killed it because of this timeout."""
        self.status = 0
        """As ``os.waitpid`` returned it."""

    def wait(self) -> None:
        """Return when it has ended; pass signals on meanwhile."""
        self._attention.sleep(FIRST_LOOK_SECONDS)
        while not self._has_ended():
            self._attention.look_for_supervisor()
            self._pass_signals_on()
            self._kill_if_due()
            self._look()
            self._attention.sleep(self._seconds_to_next_look())

    def _has_ended(self) -> bool:
        ended, self.status = os.waitpid(self.pid, os.WNOHANG)
        return bool(ended)

    def _seconds_to_next_look(self) -> float:
        if self.is_killed:
            return LOOK_SECONDS
        end = self._attention.stop_by if self._is_told else self._attention.finish_by
        return min(LOOK_SECONDS, min(end, self._kill_by) - time.monotonic(), self._page.seconds_to_kill)

    def _pass_signals_on(self) -> None:
        for number in self._attention.news():
            if number in PASSED_ON:
                os.kill(self.pid, number)
            if number == END_SIGNAL:
                self._kill_by = time.monotonic() + self._attention.cleanup_seconds
        if self._attention.is_ending and not self._is_told:
            self._is_told = True
            plan = self._attention.plan
            self._page.end_with(self._attention.stop_signal, goes_back=not plan.fails)
            os.kill(self.pid, END_SIGNAL)

    def _kill_if_due(self) -> None:
        if self._page.seconds_to_kill <= 0 and not self.is_killed:
            self.overrun = Overrun(self._page.lanes[0].timeout_seconds, settings.timeout_grace_seconds)
            self._kill()
        elif self._attention.is_overdue or time.monotonic() >= self._kill_by:
            self._kill()

    def _kill(self) -> None:
        self.is_killed = True
        os.kill(self.pid, signal.SIGKILL)
