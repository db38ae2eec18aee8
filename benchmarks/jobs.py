from __future__ import annotations

import time

from jobqueue import job
from jobqueue.connection import client

QUEUE = "bench"
TIMES = "bench:times"
"""A list of moments, in nanoseconds of ``time.perf_counter_ns``, which all processes of a machine share."""


@job(queue=QUEUE)
def noop(account: int, kind: str, urgent: bool) -> None:
    """Do nothing with three small arguments."""


@job(queue=QUEUE)
def tell_time() -> None:
    """Tell when its first line ran."""
    now = time.perf_counter_ns()
    client().rpush(TIMES, now)
