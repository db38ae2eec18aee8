"""Take new code without a gap: the supervisor's program starts anew in the same process.

The process id stays, and with it the workers, which are its children; one variable and files in memory tell
the new program of them. They perform to the end what they have begun, and leave once others are ready. Before
that the program is tried in a process of its own, so that code which does not start changes nothing.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from jobqueue import forksignals, lifeline
from jobqueue.memoryfile import memory_file
from jobqueue.sharedpage import SharedPage
from jobqueue.slot import Slot
from jobqueue.stacks import Stacks

TRIAL_VARIABLE = "JOBQUEUE_TRIAL"
WORKERS_VARIABLE = "JOBQUEUE_WORKERS"
TRIAL_SECONDS = 60.0
"""How long new code may take to start."""
COMPLAINT_BYTES = 4000
"""How much of what it says is logged if it does not."""

_log = logging.getLogger("jobqueue")


class Inherited(NamedTuple):
    """What a program leaves to the one that follows it in the same process."""

    workers: list[Slot]
    is_paused: bool
    guardian: tuple[int, int] | None
    """Its pid and the socket it listens at."""

    @property
    def fds(self) -> list[int]:
        """The files that have to stay open."""
        pages = [fd for slot in self.workers for fd in (slot.page.fd, slot.stacks.fd)]
        return pages + [fd for _, fd in filter(None, [self.guardian])]


class Renewal:
    """The way from one program to the next. Make it before the directory can have moved."""

    def __init__(self) -> None:
        self._directory = _named_directory()
        self._command = [sys.executable, *sys.orig_argv[1:]]
        self._trial: _Trial | None = None

    def begin(self) -> None:
        """Try whether the new code starts; a second call while that is tried does nothing."""
        if self._trial is not None:
            return
        try:
            self._trial = _Trial(self._command, self._directory)
        except OSError as error:
            _log.error("the code cannot be started anew, so nothing changes: %s", error)

    def is_due(self) -> bool:
        """Tell, once, that the new code has proved that it starts."""
        if self._trial is None or not self._trial.is_over():
            return False
        complaint, self._trial = self._trial.complaint(), None
        if complaint:
            _log.error("the new code does not start, so the old one goes on: %s", complaint)
        return not complaint

    def execute(self, inherited: Inherited) -> None:
        """Become the new program; returns only if the system refuses that.

        Signals wait meanwhile, until the new program hears them.
        """
        _log.info("starting anew in %s", self._directory)
        environ = {**os.environ, WORKERS_VARIABLE: _told(inherited)}
        lifeline.flush()
        with forksignals.signals_waiting():
            try:
                os.chdir(self._directory)
                _let_inherit(inherited, inheritable=True)
                os.execve(sys.executable, self._command, environ)
            except OSError as error:
                _let_inherit(inherited, inheritable=False)
                _log.error("the code cannot be started anew, so nothing changes: %s", error)

    def close(self) -> None:
        """End what is being tried."""
        if self._trial is not None:
            self._trial.end()


class _Trial:
    """A process of the new code, which ends where it would begin to supervise."""

    def __init__(self, command: Sequence[str], directory: str) -> None:
        self._output = memory_file("trial")
        self._end_by = time.monotonic() + TRIAL_SECONDS
        try:
            self._process = subprocess.Popen(
                command,
                cwd=directory,
                env={**os.environ, TRIAL_VARIABLE: "1"},
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                preexec_fn=_end_with_supervisor,
                process_group=0,  # what is sent to the whole group is not meant for it
            )
        except OSError:
            os.close(self._output)
            raise

    def is_over(self) -> bool:
        if time.monotonic() >= self._end_by:
            self._process.kill()
        return self._process.poll() is not None

    def complaint(self) -> str:
        """Return why the code does not start, "" if it does."""
        size = os.fstat(self._output).st_size
        start = max(0, size - COMPLAINT_BYTES)
        said = os.pread(self._output, COMPLAINT_BYTES, start).decode("utf-8", "replace")
        os.close(self._output)
        if self._process.returncode == 0:
            return ""
        if time.monotonic() >= self._end_by:
            return f"it has not started within {TRIAL_SECONDS:g} s:\n{said}"
        return f"exit status {self._process.returncode}:\n{said}"

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def is_trial() -> bool:
    """Tell whether this process only shows that the code starts."""
    return TRIAL_VARIABLE in os.environ


def inherited() -> Inherited:
    """Return what the program that this one follows has left to it; without one nothing."""
    text = os.environ.pop(WORKERS_VARIABLE, None)
    told = json.loads(text) if text else {}
    if told.get("supervisor") != os.getpid():
        return Inherited([], False, None)
    guardian = tuple(told["guardian"]) if told.get("guardian") else None
    found = Inherited([_slot(**each) for each in told["workers"]], told["is_paused"], guardian)
    _let_inherit(found, inheritable=False)
    return found


def _slot(page: int, stacks: int, **told: object) -> Slot:
    return Slot(page=SharedPage(fd=page), stacks=Stacks(stacks), **told)  # type: ignore[arg-type]


def _told(inherited: Inherited) -> str:
    workers = [
        {
            "pid": slot.pid,
            "worker_id": slot.worker_id,
            "started_at": slot.started_at,
            "page": slot.page.fd,
            "stacks": slot.stacks.fd,
        }
        for slot in inherited.workers
    ]
    return json.dumps({"supervisor": os.getpid(), **inherited._asdict(), "workers": workers})


def _let_inherit(inherited: Inherited, *, inheritable: bool) -> None:
    for fd in inherited.fds:
        os.set_inheritable(fd, inheritable)


def _named_directory() -> str:
    """Return the current directory by the name that led to it: a symbolic link may lead elsewhere later."""
    name = os.environ.get("PWD", "")
    try:
        return name if os.path.samefile(name, ".") else os.getcwd()
    except OSError:
        return os.getcwd()


def _end_with_supervisor() -> None:
    lifeline.die_with_parent(signal.SIGKILL)
