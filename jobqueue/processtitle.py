"""What ``ps`` and ``top`` say of our processes.

Ruby workers on the same host unregister every worker whose process they do not recognise; they look
for ``resque-`` and a digit, so each title holds ``resque-3``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from setproctitle import getproctitle, setproctitle

_log = logging.getLogger("jobqueue")


def show(doing: str) -> None:
    """Say what this process is doing; names of queues in it may be any text."""
    text = doing.encode("utf-8", "replace").decode().replace("\0", "?")
    title = f"jobworker (resque-3): {text}"
    if title != getproctitle():
        setproctitle(title)


@contextmanager
def shown(doing: str) -> Iterator[None]:
    """Say for a moment what this process is doing, for one that is forked meanwhile to keep it."""
    before = getproctitle()
    show(doing)
    try:
        yield
    finally:
        setproctitle(before)


def warn_if_not_shown() -> None:
    """Say so if titles cannot be set: their place is found by the environment that the process began with."""
    if "resque-3" not in getproctitle():
        _log.warning(
            "Process titles cannot be set, because the first variable of the environment was changed by "
            "this process. Ruby workers on this host would take these workers for dead: give that "
            "variable its value outside, before Python starts."
        )
