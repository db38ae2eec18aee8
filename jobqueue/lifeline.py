"""Processes that end with their parent, so that nothing runs on as an orphan."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from typing import NoReturn

PR_SET_PDEATHSIG = 1
"""From Linux's prctl(2)."""
LOOK_SECONDS = 1.0

_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def die_with_parent(signal_number: int) -> None:
    """Have this process sent a signal when its parent dies; elsewhere than on Linux a thread looks for it."""
    if _prctl:
        _prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    else:
        watch = (os.getppid(), signal_number)
        threading.Thread(target=_watch, args=watch, name="jobqueue-lifeline", daemon=True).start()


def is_orphan(parent: int) -> bool:
    """Tell whether the process that forked this one has died."""
    return os.getppid() != parent


def leave(status: int) -> NoReturn:
    """End this process with all it has printed, and without what its parent means to do at its own end."""
    flush()
    os._exit(status)


def flush() -> None:
    """Print what is buffered, as before a fork, whose child would print it again."""
    try:  # noqa: SIM105  # before and after each fork: what is not touched is not copied
        sys.stdout.flush()
    except Exception:
        pass  # a job may have put anything there


def _watch(parent: int, signal_number: int) -> None:
    while not is_orphan(parent):
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal_number)
