from __future__ import annotations

import os
import time
from functools import cache

from jobqueue import job
from jobqueue.connection import client

QUEUE = "bench"
TIMES = "bench:times"
"""A list of moments, in nanoseconds of ``time.perf_counter_ns``, which all processes of a machine share."""
LEDGER = "BENCHMARK_LEDGER"
"""The environment's variable that names the file in which jobs count themselves."""
LINE_BYTES = 9


@job(queue=QUEUE)
def noop(account: int, kind: str, urgent: bool) -> None:
    """Do nothing with three small arguments."""


@job(queue=QUEUE)
def tell_time() -> None:
    """Tell when its first line ran."""
    now = time.perf_counter_ns()
    client().rpush(TIMES, now)


@job(queue=QUEUE)
def count_itself(number: int) -> None:
    """Add a line to a file, which survives when the process is killed."""
    os.write(_ledger(), b"%08d\n" % number)


@cache
def _ledger() -> int:
    return os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND)
