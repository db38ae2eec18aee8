"""Perform a job in a child process of its own, as Resque does."""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from typing import NamedTuple

from jobqueue import failure, lifeline, processtitle
from jobqueue.attention import STOP_SIGNALS, Attention, hear_no_stop
from jobqueue.performing import Kind, Outcome, perform
from jobqueue.recovery import DIRTY_EXIT, exit_text
from jobqueue.store.delivery import Claimed

DONE, FAILED = b"D", b"F"

_log = logging.getLogger("jobqueue")


class Report(NamedTuple):
    """How a child ended its job."""

    entry: bytes | None
    """The failure's entry, None if the job is done."""
    was_killed: bool = False
    """The child died without a report."""
    is_put_back: bool = False
    """The child had to be killed for the worker to stop in time, or could not even be made."""


def perform_in_child(job: Claimed, worker_id: str, attention: Attention) -> Report:
    """Fork, let the child perform the job, and wait for its report or its death."""
    reader, writer = os.pipe()
    # A stop must not end the child before that has learned to leave stops to this process
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    lifeline.flush()
    try:
        pid = os.fork()
        if pid == 0:
            _perform_and_report(job, worker_id, writer)
    except OSError as error:
        _log.error("no child can be forked: %s", error)
        os.close(reader)
        return Report(None, is_put_back=True)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(writer)
    try:
        text, status = _wait(pid, reader, attention)
    finally:
        os.close(reader)
    if text:
        return Report(text[1:] if text[:1] == FAILED else None)
    if attention.is_overdue:
        return Report(None, is_put_back=True)
    return Report(_dirty_exit(job, worker_id, pid, status), was_killed=True)


def _perform_and_report(job: Claimed, worker_id: str, writer: int) -> None:
    """Do the child's part, which never returns; leaving without a report tells that it died."""
    try:
        hear_no_stop()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        lifeline.die_with_parent(signal.SIGKILL)
        processtitle.show(f"Processing {job.queue}")
        _write(writer, _report(perform(job.payload, job.queue, worker_id)))
    finally:
        lifeline.leave(0)


def _report(outcome: Outcome) -> bytes:
    return DONE if outcome.kind is Kind.DONE else FAILED + (outcome.failure or b"")


def _write(writer: int, report: bytes) -> None:
    message = len(report).to_bytes(8) + report
    while message:
        message = message[os.write(writer, message) :]


def _wait(pid: int, reader: int, attention: Attention) -> tuple[bytes, int]:
    """Return a child's report, empty if it died without one, and its exit status."""
    os.set_blocking(reader, False)
    received, status, is_open = b"", None, True
    while status is None:
        # A pipe that the child has closed is always readable, so nothing could be waited for beside it
        attention.sleep(min(1.0, attention.stop_by - time.monotonic()), *([reader] if is_open else []))
        if attention.is_overdue:
            os.kill(pid, signal.SIGKILL)
        ended, code = os.waitpid(pid, os.WNOHANG)
        status = code if ended else None
        chunk, is_open = _read_available(reader)
        received += chunk
    size = int.from_bytes(received[:8])
    is_whole = len(received) >= 8 and len(received) == 8 + size
    return (received[8:] if is_whole else b""), status


def _read_available(reader: int) -> tuple[bytes, bool]:
    """Return what a pipe holds now, and whether more may come."""
    received = b""
    while select.select([reader], [], [], 0)[0]:
        chunk = os.read(reader, 65536)
        if not chunk:
            return received, False
        received += chunk
    return received, True


def _dirty_exit(job: Claimed, worker_id: str, pid: int, status: int) -> bytes:
    return failure.entry(
        job.payload,
        exception=DIRTY_EXIT,
        error=exit_text(pid, status),
        backtrace=[],
        worker=worker_id,
        queue=job.queue,
    )
