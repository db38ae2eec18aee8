from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

from django.db import connection, transaction

from jobqueue import job
from jobqueue.connection import client
from tests.workload import LEDGER


def note(text: str) -> None:
    client().rpush(LEDGER, text)


@job(queue="work")
def noop(*args: object) -> None:
    pass


@job(queue="work")
def perform(number: int, seconds: float = 0.0) -> None:
    """Take some time, then tell that it was done."""
    time.sleep(seconds)
    note(str(number))


@job(queue="work")
def begin_and_wait(number: int, seconds: float) -> None:
    """Tell that it began, then take its time."""
    note(f"began {number}")
    time.sleep(seconds)
    note(str(number))


@job(queue="work")
def die(number: int, with_signal: int = signal.SIGKILL) -> None:
    note(f"died {number}")
    os.kill(os.getpid(), with_signal)


@job(queue="work")
def leave(status: int) -> None:
    os._exit(status)


@job(queue="work")
def say(text: str) -> None:
    sys.stdout.write(text)


@job(queue="work")
def use_pool(number: int) -> None:
    """Let processes forked here do the work, and end them by a signal, as the pool does."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(abs, range(4))
    note(str(number))


@job(queue="work")
def end_program(number: int) -> None:
    """Run a program that takes long, and end it."""
    with subprocess.Popen(["sleep", "60"]) as program:
        program.terminate()
    note(str(number))


@job(queue="work")
def hear_signals(number: int) -> None:
    """Let signals do what they do, as asyncio does when its loop is closed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    note(str(number))


@job(queue="work")
def fail(number: int) -> None:
    raise ValueError(f"job {number} fails")


@job(queue="work", batch=False)
def alone(number: int, seconds: float = 0.0) -> None:
    time.sleep(seconds)
    note(str(number))


@job(queue="work", batch=False)
def show_worker() -> None:
    """Tell what the pages say of this worker now."""
    shown = [client().get(key) for key in client().keys("resque:worker:*:work")]
    note("shown: " + json.loads(shown[0])["payload"]["class"].rpartition(".")[2])


@job(queue="reports", name="SlowReport")
def slow_report(seconds: float, what: str) -> None:
    time.sleep(seconds)


@job(queue="reports", name="Report")
def report(number: int) -> None:
    pass


@job(queue="emails", name="BouncingEmailer")
def bouncing_emailer(to: str, subject: str, body: str) -> None:
    raise ValueError(f"cannot deliver to {to}")


@job(queue="reports", name="Killer")
def killer(seconds: float, what: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@job(queue="work")
def ask_database() -> None:
    """Tell which backend process of the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        note(str(cursor.fetchone()[0]))


@job(queue="work")
def leave_transaction_open() -> None:
    transaction.atomic().__enter__()
