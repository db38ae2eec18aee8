"""Start the worker again when code changes, for development.

Django's own reloader would run the supervisor in a thread, where it can neither fork nor hear signals.
Here this process watches, with Django's watcher, and the worker is a child process.
"""

from __future__ import annotations

import logging
import signal
import subprocess
from collections.abc import Iterator
from types import FrameType

from django.utils import autoreload

from jobqueue import lifeline

GRACE_SECONDS = 5.0

_log = logging.getLogger("jobqueue")


class Changed(Exception):  # noqa: N818 - an event
    """A file of code was changed."""


class Ended(Exception):  # noqa: N818 - an event
    """The worker has ended by itself, or was killed."""


class Watcher(autoreload.StatReloader):
    """Looks at the worker and at every file of code once a second; raises Changed or Ended."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self._child = child
        self._is_broken = False

    def tick(self) -> Iterator[None]:
        for _ in super().tick():
            self._look_at_child()
            yield

    def notify_file_changed(self, path: object) -> None:
        _log.info("%s changed, starting again", path)
        raise Changed

    def _look_at_child(self) -> None:
        status = self._child.poll()
        if status is None or self._is_broken:
            return
        if status <= 0:
            raise Ended
        # Code that is broken is broken at the next start too, until somebody changes it
        _log.error("the worker ended with status %s; it starts again when code changes", status)
        self._is_broken = True


def run(stop_seconds: float) -> None:
    """Run the same command without ``--reload`` until told to stop; again after a change, or if killed.

    ``stop_seconds`` is how long it may take to stop.
    """
    command = [part for part in autoreload.get_child_arguments() if part != "--reload"]
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGQUIT, _leave)
    while _run_once(command, stop_seconds):
        pass


def _run_once(command: list[str], stop_seconds: float) -> bool:
    """Run the worker until it has to start again (true), has ended, or this process is told to stop."""
    child = subprocess.Popen(command, preexec_fn=_end_with_watcher)
    try:
        Watcher(child).run_loop()
    except Changed:
        return True
    except Ended:
        if child.returncode < 0:
            _log.error("the supervisor was killed by signal %s, starting again", -child.returncode)
        return child.returncode < 0
    except (KeyboardInterrupt, SystemExit):
        return False
    finally:
        _end(child, stop_seconds)
    return False


def _end(child: subprocess.Popen[bytes], stop_seconds: float) -> None:
    child.terminate()
    try:
        child.wait(stop_seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end_with_watcher() -> None:
    lifeline.die_with_parent(signal.SIGTERM)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
