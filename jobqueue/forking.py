"""Perform a job in a child process of its own, as Resque does."""

from __future__ import annotations

import logging
import os
import signal
import time

from jobqueue import lifeline, processtitle, registry
from jobqueue.attention import PASSED_ON, Attention, hear, leave_to_parent, signals_waiting
from jobqueue.conf import settings
from jobqueue.interruption import END_SIGNAL, interruption, term_exception
from jobqueue.performing import Kind, Outcome, perform
from jobqueue.readiness import readable
from jobqueue.recovery import Ending, Held, Overrun, after_crash, exit_text, no_retry, overrun_entry
from jobqueue.sharedpage import SharedPage
from jobqueue.store.delivery import Claimed

DONE, FAILED, BACK = b"D", b"F", b"B"
HOW = {DONE: "done", FAILED: "failed", BACK: "back"}
"""What the first byte of a report tells; the failure's entry comes behind it."""
LOOK_SECONDS = 1.0
LARGE_REPORT_SECONDS = 0.05
"""How long a report that does not fit into the pipe may have to wait."""

_log = logging.getLogger("jobqueue")


def perform_in_child(job: Claimed, worker_id: str, attention: Attention, page: SharedPage) -> Ending:
    """Fork, let the child perform the job, and wait for its report or its death.

    A job that goes back with no payload goes as it is.
    """
    page.lanes[0].lift_limit()
    attention.news()  # what came before is not meant for this job
    try:
        pid, reader = _fork(job, worker_id, page)
    except OSError as error:
        _log.error("no child can be forked: %s", error)
        return Ending(job.token, "back")
    child = _Child(pid, reader, attention, page)
    try:
        report = child.wait()
    finally:
        os.close(reader)
    if report:
        return Ending(job.token, HOW[report[:1]], report[1:])
    return _ending_of_dead(job, worker_id, child, attention)


def _fork(job: Claimed, worker_id: str, page: SharedPage) -> tuple[int, int]:
    """Return the pid of a child that performs the job, and the end of a pipe from which its report comes.

    Raises OSError if the machine has no pipe or no process to spare.
    """
    lifeline.flush()
    worker = os.getpid()
    reader, writer = os.pipe()
    try:
        with signals_waiting():
            pid = os.fork()
            if pid == 0:
                _perform_and_report(job, worker_id, page, writer, worker)
    except OSError:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    return pid, reader


def _ending_of_dead(job: Claimed, worker_id: str, child: _Child, attention: Attention) -> Ending:
    held = Held(job.token, True, job.queue, job.payload)
    if child.overrun:
        return Ending(job.token, "killed", overrun_entry(held, worker_id, child.overrun))
    if attention.is_overdue and not attention.plan.fails:
        return Ending(job.token, "back")
    policy_of = no_retry if child.is_killed else registry.crash_policy
    return after_crash(held, worker_id, exit_text(child.pid, child.status), policy_of)


def _perform_and_report(job: Claimed, worker_id: str, page: SharedPage, writer: int, worker: int) -> None:
    """Do the child's part, which never returns; leaving without a report tells that it died.

    ``worker`` is the pid of the process that has forked it.
    """
    try:
        leave_to_parent()
        interruption.await_job()
        interruption.keep_timeouts(page.lanes[0], settings.job_timeout_seconds)
        interruption.listen(lambda: term_exception(page))
        hear()
        lifeline.die_with_parent(signal.SIGKILL)
        processtitle.show(f"Processing {job.queue}")
        # A worker that has died before that told nobody, and its job is recovered already
        if not lifeline.is_orphan(worker):
            _write(writer, _report(perform(job.payload, job.queue, worker_id)))
    finally:
        lifeline.leave(0)


def _report(outcome: Outcome) -> bytes:
    if outcome.kind is Kind.PUT_BACK:
        return BACK
    return DONE if outcome.kind is Kind.DONE else FAILED + (outcome.failure or b"")


def _write(writer: int, report: bytes) -> None:
    message = len(report).to_bytes(8) + report
    while message:
        message = message[os.write(writer, message) :]


class _Child:
    """The process of one job, as its worker sees it."""

    def __init__(self, pid: int, reader: int, attention: Attention, page: SharedPage) -> None:
        self.pid = pid
        self._reader = reader
        self._attention = attention
        self._page = page
        self._kill_by = float("inf")
        """When a job that was told to end has to have ended, in seconds of ``time.monotonic``."""
        self._is_told = False
        self.is_killed = False
        """The worker has killed it."""
        self.overrun: Overrun | None = None
        """The worker has killed it because of this timeout."""
        self.status = 0
        """As ``os.waitpid`` returned it."""

    def wait(self) -> bytes:
        """Return the report, empty if the child died without one; pass signals on meanwhile."""
        os.set_blocking(self._reader, False)
        received, is_open, has_ended = b"", True, False
        # Its end follows the report at once, so one of the two need not wake this process, unless the report
        # is larger than the pipe
        self._attention.sleep(min(LARGE_REPORT_SECONDS, self._seconds_to_next_look()))
        while not has_ended:
            self._attention.look_for_supervisor()
            self._pass_signals_on()
            self._kill_if_due()
            ended, self.status = os.waitpid(self.pid, os.WNOHANG)
            has_ended = bool(ended)
            chunk, is_open = _read_available(self._reader)
            received += chunk
            if not has_ended:
                # A pipe that the child has closed is always readable: nothing could be waited for beside it
                self._attention.sleep(self._seconds_to_next_look(), *([self._reader] if is_open else []))
        is_whole = len(received) >= 8 and len(received) == 8 + int.from_bytes(received[:8])
        return received[8:] if is_whole else b""

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


def _read_available(reader: int) -> tuple[bytes, bool]:
    """Return what a pipe holds now, and whether more may come."""
    received = b""
    while readable(0, reader):
        chunk = os.read(reader, 65536)
        if not chunk:
            return received, False
        received += chunk
    return received, True
