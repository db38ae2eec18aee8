"""Run part of a test in another local time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def local_time(zone: str) -> Iterator[None]:
    """Make ``zone`` the process's local time, and restore what was before."""
    before = os.environ["TZ"]  # Django has set it
    _set(zone)
    try:
        yield
    finally:
        _set(before)


def _set(zone: str) -> None:
    os.environ["TZ"] = zone
    time.tzset()
