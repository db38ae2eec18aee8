"""What ``ps`` and ``top`` say of our processes.

Ruby workers on the same host unregister every worker whose process they do not recognise; they look
for ``resque-`` and a digit, so each title holds ``resque-3``.
"""

from __future__ import annotations

from setproctitle import setproctitle


def show(doing: str) -> None:
    """Say what this process is doing; names of queues in it may be any text."""
    text = doing.encode("utf-8", "replace").decode().replace("\0", "?")
    setproctitle(f"jobworker (resque-3): {text}")
