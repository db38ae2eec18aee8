"""Moments written as Resque writes them; each is given in seconds since the epoch."""

from __future__ import annotations

import time


def run_at(moment: float) -> str:
    """Return when a job began, in UTC: ``2026-11-21T00:01:09Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def started(moment: float) -> str:
    """Return when a worker began, in local time: ``2026-11-21 00:01:08 +0000``."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(moment))


def heartbeat(moment: float) -> str:
    """Return when a worker was last alive, in local time: ``2026-11-21T00:01:08+00:00``."""
    text = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(moment))
    return f"{text[:-2]}:{text[-2:]}"


def failed_at(moment: float) -> str:
    """Return when a job failed or was retried, in local time: ``2026/11/21 00:01:12 UTC``."""
    return time.strftime("%Y/%m/%d %H:%M:%S %Z", time.localtime(moment))
