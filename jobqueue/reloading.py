"""Start the worker again when code changes, for development.

Django's own reloader would run the supervisor in a thread, where it can neither fork nor hear signals.
Here this process watches, with Django's watcher, and the worker is a child process.
"""

from __future__ import annotations

import logging
import signal
import subprocess
from types import FrameType

from django.utils import autoreload

from jobqueue import lifeline

GRACE_SECONDS = 5.0

_log = logging.getLogger("jobqueue")


class Changed(Exception):  # noqa: N818 - an event
    """A file of code was changed."""


class Watcher(autoreload.StatReloader):
    """Looks at every file of code once a second; raises Changed."""

    def notify_file_changed(self, path: object) -> None:
        _log.info("%s changed, starting again", path)
        raise Changed


def run(shutdown_timeout_seconds: float) -> None:
    """Run the same command without ``--reload``, again after each change, until told to stop."""
    command = [part for part in autoreload.get_child_arguments() if part != "--reload"]
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGQUIT, _leave)
    while _run_once(command, shutdown_timeout_seconds):
        pass


def _run_once(command: list[str], shutdown_timeout_seconds: float) -> bool:
    """Run the worker until code changes (true) or this process is told to stop."""
    child = subprocess.Popen(command, preexec_fn=_end_with_watcher)
    try:
        Watcher().run_loop()
    except Changed:
        return True
    except (KeyboardInterrupt, SystemExit):
        return False
    finally:
        _end(child, shutdown_timeout_seconds)
    return False


def _end(child: subprocess.Popen[bytes], shutdown_timeout_seconds: float) -> None:
    child.terminate()
    try:
        child.wait(shutdown_timeout_seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_with_watcher() -> None:
    lifeline.die_with_parent(signal.SIGTERM)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
