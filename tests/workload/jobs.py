from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import repeat
from pathlib import Path

from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.dispatch import receiver

from jobqueue import JobTimeout, Retry, TermException, job, signals
from jobqueue.connection import client
from tests.workload import awaiting  # noqa: F401 - defines jobs, too
from tests.workload.account import ACCOUNT
from tests.workload.crashing import DEATHS
from tests.workload.keeper import beginnings, ledger, note
from tests.workload.waiting import WAYS, rest


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
def begin_and_wait_for(number: int, word: str) -> None:
    """Tell that it began, then wait for a word to go on."""
    note(f"began {number}")
    while not client().exists(word):
        time.sleep(0.01)
    note(str(number))


@job(queue="work")
def die(number: int, with_signal: int = signal.SIGKILL) -> None:
    note(f"died {number}")
    os.kill(os.getpid(), with_signal)


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


@job(queue="work")
def clean_up(number: int, seconds: float = 0.0) -> None:
    """Wait without end, take some time to clean up when ended, and tell of both."""
    try:
        note(f"began {number}")
        rest()
    except TermException as error:
        time.sleep(seconds)
        note(f"cleaned up {number} after {error}")
        raise


@job(queue="work")
def begin_late(number: int) -> None:
    """Wait without end, after what hears that jobs begin has taken its time."""
    rest()


@receiver(signals.job_started, sender=begin_late)
def hold_up(**_: object) -> None:
    note("about to begin")
    time.sleep(0.5)


@job(queue="work")
def end_well(number: int) -> None:
    """Wait without end, and return when ended."""
    try:
        note(f"began {number}")
        rest()
    except TermException:
        note(f"ended {number}")


@job(queue="work")
def end_badly(number: int) -> None:
    """Wait without end, and fail when ended."""
    try:
        note(f"began {number}")
        rest()
    except TermException:
        raise ValueError(f"job {number} was not ready") from None


def attempt(number: int, failures: int) -> None:
    """Fail so often, then be done."""
    note(f"began {number}")
    if ledger().count(f"began {number}") <= failures:
        raise ValueError(f"attempt of {number} fails")
    note(str(number))


@job(queue="work", retries=2, backoff=[0])
def try_thrice(number: int, failures: int) -> None:
    attempt(number, failures)


@job(queue="work", retries=2, backoff=[0])
async def atry_thrice(number: int, failures: int) -> None:
    await sync_to_async(attempt)(number, failures)


class AsksAgain:
    """A job that has no option, and asks to be tried again."""

    queue = "work"

    @staticmethod
    def perform(number: int, failures: int) -> None:
        try:
            attempt(number, failures)
        except ValueError as error:
            raise Retry(in_=0) from error


@job(queue="work", retries=1, backoff=[0], timeout=1)
def try_overrun_twice(number: int, way: str) -> None:
    note(f"began {number}")
    WAYS[way]()


@job(queue="work", retries=1, backoff=[3600])
def try_clean_up_later(number: int, seconds: float) -> None:
    """Wait without end, take some time to clean up when ended, and tell of both."""
    try:
        note(f"began {number}")
        rest()
    except TermException as error:
        time.sleep(seconds)
        note(f"cleaned up {number} after {error}")
        raise


@job(queue="work", retries=1, backoff=[3600])
def try_stuck_later(number: int) -> None:
    note(f"began {number}")
    any(repeat(False))


@job(queue="work", retries=1, backoff=[3600])
def try_crash_later(number: int, deaths: int) -> None:
    """End its process so many times, then fail."""
    note(f"began {number}")
    if ledger().count(f"began {number}") <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    raise ValueError(f"attempt of {number} fails")


class Hooked:
    """A job that tells of its failures."""

    queue = "work"

    @staticmethod
    def perform(number: int) -> None:
        note(f"began {number}")
        rest()

    @staticmethod
    def on_failure(error: BaseException, number: int) -> None:
        note(f"failed {number}")


@job(queue="work")
def get_stuck(number: int) -> None:
    """Stay in C code that neither hears signals nor lets other threads run."""
    try:
        note(f"began {number}")
        any(repeat(False))
    except TermException:
        any(repeat(False))  # the signal came before it was stuck


@job(queue="work")
def grow(megabytes: int, seconds: float = 0.0) -> None:
    """Take some time, keep so much memory, and tell which process it is."""
    time.sleep(seconds)
    kept.append(b"!" * (megabytes * 1_000_000))
    note(f"grew {os.getpid()}")


kept: list[bytes] = []


@job(queue="work")
def tell_version() -> None:
    """Tell which code this is: the text in a file beside the process, as the module has read it."""
    note(f"version {VERSION}")


VERSION = Path("version").read_text() if Path("version").exists() else ""
if VERSION == "broken":
    raise RuntimeError("this version is broken")


@job(queue="work", timeout=1)
def overrun(number: int, way: str) -> None:
    """Tell which process this is, then take longer than allowed, in one of the ways of waiting.py."""
    note(f"began {number} in {os.getpid()}")
    WAYS[way]()


@job(queue="work", timeout=1)
def overrun_and_clean_up(number: int, raises: bool) -> None:
    try:
        rest()
    except JobTimeout as error:
        note(f"cleaned up {number}: {error}")
        if raises:
            raise


@job(queue="work", timeout=60)
def spoil_alarm(number: int) -> None:
    """End in time, with an alarm of its own to come."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    note(str(number))


class Timed:
    """A job that tells of its failures."""

    queue = "work"
    timeout = 1

    @staticmethod
    def perform(number: int) -> None:
        rest()

    @staticmethod
    def on_failure(error: BaseException, number: int) -> None:
        note(f"{type(error).__name__} in {number}")


@job(queue="work", timeout=float("inf"))
def take_all_time(number: int, seconds: float) -> None:
    time.sleep(seconds)
    note(str(number))


@job(queue="work", timeout=1, on_crash="retry")
def try_again_overrun(number: int) -> None:
    note(f"began {number} in {os.getpid()}")
    WAYS["compute_in_c"]()


@job(queue="work", on_crash="retry")
def try_again(number: int, way: str, deaths: int) -> None:
    """End this process in some way, so many times; then be done."""
    note(f"began {number} in {os.getpid()}")
    if beginnings(number) <= deaths:
        DEATHS[way]()
    note(str(number))


@job(queue="work", on_crash="retry", max_crashes=2)
def try_again_once(number: int, way: str) -> None:
    note(f"began {number} in {os.getpid()}")
    DEATHS[way]()


@job(queue="work")
def crash(number: int, way: str) -> None:
    note(f"began {number} in {os.getpid()}")
    DEATHS[way]()


@job(queue="work", on_crash="retry")
def try_again_long(number: int, seconds: float) -> None:
    """Take some time, unless it has begun before."""
    is_first = f"began {number}" not in ledger()
    note(f"began {number}")
    time.sleep(seconds if is_first else 0)
    note(str(number))


@job(queue="work")
def count(number: int) -> None:
    """Write the number into an account outside of Redis; one short write is never mixed with another's."""
    os.write(ACCOUNT, b"%d\n" % number)


@job(queue="work")
async def anote(number: int, seconds: float = 0.0) -> None:
    """Tell that it began, wait beside others, and tell that it was done."""
    note(f"began {number}")
    await asyncio.sleep(seconds)
    note(str(number))


@job(queue="work")
async def await_word(number: int, word: str) -> None:
    """Tell that it began, then wait for a word to go on."""
    note(f"began {number}")
    while not client().exists(word):
        await asyncio.sleep(0.01)
    note(str(number))


@job(queue="work")
async def aclean_up(number: int, seconds: float = 0.0) -> None:
    """Wait without end, take some time to clean up when cancelled, and tell of both."""
    try:
        note(f"began {number}")
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        await asyncio.sleep(seconds)
        note(f"cleaned up {number}")
        raise


@job(queue="work")
async def aend_well(number: int) -> None:
    """Wait without end, and return when cancelled."""
    try:
        note(f"began {number}")
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        note(f"ended {number}")


@job(queue="work", timeout=1)
async def aoverrun(number: int) -> None:
    note(f"began {number}")
    await asyncio.sleep(600)


@job(queue="work", timeout=1)
async def block_loop(number: int) -> None:
    """Keep the event loop from going on for longer than allowed."""
    note(f"began {number}")
    time.sleep(600)


@job(queue="work")
async def aexit(number: int) -> None:
    raise SystemExit(number)


@job(queue="work")
async def afork(number: int) -> None:
    """Fork, and come back in both processes."""
    if os.fork():
        await asyncio.sleep(0.5)
        note(str(number))


@job(queue="work")
async def enqueue_more(number: int) -> None:
    """Enqueue from a coroutine, waiting for it and not."""
    anote.enqueue(number)
    await anote.aenqueue(number + 1)


@job(queue="work")
async def ask_database_aside(number: int) -> None:
    await sync_to_async(connection.ensure_connection)()
    note(str(number))


@job(queue="work")
async def wait_aside(number: int, word: str) -> None:
    """Keep the thread of all synchronous parts until there is a word to go on."""
    await sync_to_async(begin_and_wait_for.function)(number, word)


@job(queue="work", timeout=1.0)
async def await_in_time(number: int, word: str) -> None:
    await await_word.function(number, word)


@job(queue="work")
async def leave_transaction_open_aside() -> None:
    await sync_to_async(transaction.atomic().__enter__)()


class AsyncHooked:
    """An asynchronous job that tells of its hooks."""

    queue = "work"

    @staticmethod
    async def perform(number: int, fails: bool = False) -> None:
        note(f"performed {number}")
        if fails:
            raise ValueError(number)

    @staticmethod
    def before_perform(number: int, fails: bool = False) -> None:
        note(f"before {number}")

    @staticmethod
    async def around_perform(
        perform: Callable[[], Awaitable[None]], number: int, fails: bool = False
    ) -> None:
        note(f"around {number}")
        await perform()

    @staticmethod
    def after_perform(number: int, fails: bool = False) -> None:
        note(f"after {number}")

    @staticmethod
    def on_failure(error: BaseException, number: int, fails: bool = False) -> None:
        note(f"failed {number}")


@job(queue="work", unique="queued")
def once(number: int, seconds: float = 0.0) -> None:
    """Tell that it began, take some time, then tell that it was done."""
    note(f"began {number}")
    time.sleep(seconds)
    note(str(number))


@job(queue="work", unique="until_done", unique_by=lambda key, *_: key, on_crash="retry", max_crashes=100)
def exclusive(key: int, number: int, seconds: float = 0.0) -> None:
    """Take some time, then tell that it was done."""
    time.sleep(seconds)
    note(str(number))
