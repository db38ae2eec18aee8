"""What signals mean to processes that are forked: by this library, or by a job."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jobqueue.attention import CONTINUE_SIGNAL, HEARD, PASSED_ON, PAUSE_SIGNAL, RENEW_SIGNAL, do_nothing
from jobqueue.interruption import END_SIGNAL
from jobqueue.stopping import STOP_SIGNALS
from jobqueue.systemsignals import DEFAULT, handle, handler_of, mask

_NUMBERS = tuple(map(int, (*HEARD, *PASSED_ON)))
_LEFT_TO_PARENT = tuple(map(int, (*STOP_SIGNALS, PAUSE_SIGNAL, RENEW_SIGNAL)))
_OWN = tuple(map(int, (CONTINUE_SIGNAL, signal.SIGCHLD)))


class _Forking(threading.local):
    is_own = False
    """What is forked now learns itself what signals mean to it, or this process has been forked so."""
    before: Any = None


_forking = _Forking()


@contextmanager
def signals_waiting() -> Iterator[None]:
    """Keep signals waiting while a process is made, until it has learned what they mean to it."""
    before = mask(signal.SIG_BLOCK, _NUMBERS)
    _forking.is_own = True
    try:
        yield
    finally:
        _forking.is_own = False
        mask(signal.SIG_SETMASK, before)


def hear() -> None:
    """Let the signals come that were kept waiting for this process."""
    _forking.is_own = False
    mask(signal.SIG_UNBLOCK, _NUMBERS)


def leave_to_parent() -> None:
    """Leave signals to the parent, in a process that it has forked while they were kept waiting.

    A handler does that: what is ignored, programs run from here ignore too.
    """
    signal.set_wakeup_fd(-1)
    for number in _LEFT_TO_PARENT:
        handle(number, do_nothing)
    for number in _OWN:
        handle(number, DEFAULT)


def _before_fork() -> None:
    """Keep signals from the child of a job until it does not take them for its parent's any more."""
    if not _forking.is_own:
        _forking.before = mask(signal.SIG_BLOCK, _NUMBERS)


def _after_fork() -> None:
    if not _forking.is_own:
        mask(signal.SIG_SETMASK, _forking.before)


def _after_fork_in_child() -> None:
    """Let a process that a job forks end by the signals that the job sends it."""
    if _forking.is_own:
        return
    for number in (*HEARD, END_SIGNAL):
        if (getattr(handler_of(number), "__module__", None) or "").startswith("jobqueue."):
            handle(number, DEFAULT)
            signal.set_wakeup_fd(-1)
    _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
