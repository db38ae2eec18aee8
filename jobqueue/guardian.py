"""A process beside the supervisor that outlives it, and ends the workers that cannot end by themselves.

A worker whose supervisor was killed leaves by itself. One in C code that never lets go of Python's
interpreter lock cannot: none of its own code runs. So the guardian knows every worker, and kills those that
are still there once they have had their time. It needs Linux, where a process can be named without its pid,
which may be another's by then.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import NoReturn

from jobqueue import lifeline, processtitle
from jobqueue.forksignals import signals_waiting

CAN_GUARD = hasattr(os, "pidfd_open")
TRY_AGAIN_SECONDS = 10.0
"""How long after a guardian could not be started the next one is tried."""
PID_BYTES = 16

_log = logging.getLogger("jobqueue")


class Guardian:
    """The guardian of one supervisor's workers, as that sees it."""

    def __init__(self, seconds: float, former: tuple[int, int] | None = None) -> None:
        """``seconds`` is how long orphans may take to leave.

        ``former`` is the handle of the guardian that a program before this one in the same process has
        started; it serves until there is another.
        """
        self._seconds = seconds
        self._is_former = former is not None
        self._pid, fd = former or (0, -1)
        self._socket = socket.socket(fileno=fd) if former else None
        self._try_at = 0.0

    @property
    def handle(self) -> tuple[int, int] | None:
        """What a program that follows this one in the same process has to know: the pid and the socket."""
        return (self._pid, self._socket.fileno()) if self._pid and self._socket else None

    def is_missing(self) -> bool:
        """Tell whether one is to be started: the first, or in the place of one that has died."""
        if not CAN_GUARD or time.monotonic() < self._try_at:
            return False
        return self._is_former or not self._is_alive()

    def start(self, workers: Iterable[int]) -> None:
        """Fork a guardian, which knows the workers there are from the first moment."""
        known = _named(workers)
        try:
            pid, end = self._fork(known)
        except OSError as error:
            _log.error("no guardian of the workers can be started: %s", error)
            self._try_at = time.monotonic() + TRY_AGAIN_SECONDS
            return
        finally:
            for process in known:
                os.close(process)
        self.dismiss()
        self._pid, self._socket, self._is_former = pid, end, False

    def guard(self, worker: int) -> None:
        """Tell the guardian of a worker, a child of this process; one that has just died is replaced soon."""
        if self._socket is None:
            return
        for process, pid in _named([worker]).items():
            with suppress(OSError):
                socket.send_fds(self._socket, [str(pid).encode()], [process])
            os.close(process)

    def dismiss(self) -> None:
        """End the guardian: there is nothing left to guard, or another has taken over."""
        if self._is_alive():
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0
        self.forget()

    def forget(self) -> None:
        """Let go of the guardian in a process just forked, whose death does not matter to it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _is_alive(self) -> bool:
        if self._pid and os.waitpid(self._pid, os.WNOHANG)[0]:
            _log.warning("the guardian of the workers, process %s, has died", self._pid)
            self._pid = 0
        return self._pid > 0

    def _fork(self, known: dict[int, int]) -> tuple[int, socket.socket]:
        end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        end.setblocking(False)
        lifeline.flush()
        try:
            # Shown before it is there, so that nobody ever takes it for a worker
            with other, signals_waiting(), processtitle.shown(f"Guarding the workers of {os.getpid()}"):
                pid = os.fork()
                if pid == 0:
                    end.close()
                    self.forget()
                    _be_guardian(other, known, self._seconds)
        except OSError:
            end.close()
            raise
        return pid, end


def _named(workers: Iterable[int]) -> dict[int, int]:
    """Return the pids of processes by descriptors that name them and no other; to be closed."""
    named: dict[int, int] = {}
    for worker in workers:
        with suppress(OSError):
            named[os.pidfd_open(worker)] = worker
    return named


def _be_guardian(end: socket.socket, known: dict[int, int], seconds: float) -> NoReturn:
    try:
        # What a terminal or an operator sends to the whole group is not meant for it
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        orphans = _orphans(end, known)
        for pid in _left_over(orphans, time.monotonic() + seconds):
            _log.error("worker process %s did not end after its supervisor had died: killed", pid)
    finally:
        lifeline.leave(0)


def _orphans(end: socket.socket, workers: dict[int, int]) -> dict[int, int]:
    """Return the living workers of a supervisor, once that has died: their pids by what names them."""
    while True:
        message, processes, _, _ = socket.recv_fds(end, PID_BYTES, 1)
        for process in _ended(workers, 0):
            del workers[process]
            os.close(process)
        if not message:
            return workers
        workers[processes[0]] = int(message)


def _left_over(orphans: dict[int, int], kill_at: float) -> list[int]:
    """Wait until all have ended, and kill those that have not by then; return these."""
    while orphans and (left := kill_at - time.monotonic()) > 0:
        for process in _ended(orphans, left):
            del orphans[process]
    for process in orphans:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
    return list(orphans.values())


def _ended(processes: Iterable[int], seconds: float) -> list[int]:
    """Return those of the processes that have ended; wait for the first of them."""
    poll = select.poll()
    for process in processes:
        poll.register(process, select.POLLIN)
    return [process for process, _ in poll.poll(seconds * 1000)]
