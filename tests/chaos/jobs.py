"""The jobs of the chaos run. Each notes when it begins and when it has done its work."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jobqueue import Job, Retry, job, job_finished, job_started
from jobqueue.outcome import Kind, Outcome
from tests.chaos import ledger
from tests.chaos.enqueueing import enqueue

QUEUES = ("quick", "slow")
MEETING_SECONDS = 30


@contextmanager
def noted(name: str) -> Iterator[None]:
    note_begin(name)
    yield
    ledger.note(ledger.ENDED, name)


def note_begin(name: str) -> None:
    ledger.note(ledger.BEGAN, name, ledger.BESIDE if ledger.LANES in os.environ else "")


@job(queue="quick")
def work(name: str, seconds: float) -> None:
    with noted(name):
        time.sleep(seconds)


@job(queue="slow")
def last(name: str, seconds: float) -> None:
    with noted(name):
        time.sleep(seconds)


@job(queue="quick")
async def wait(name: str, seconds: float) -> None:
    with noted(name):
        await asyncio.sleep(seconds)


@job(queue="slow", timeout=0.3)
async def wait_too_long(name: str) -> None:
    with noted(name):
        await asyncio.sleep(60)


@job(queue="quick", batch=False)
def alone(name: str) -> None:
    with noted(name):
        pass


@job(queue="quick")
def fail(name: str) -> None:
    with noted(name):
        raise ValueError(f"job {name} fails")


@job(queue="slow")
def run_program(name: str) -> None:
    with noted(name):
        subprocess.run(["sleep", "0.05"], check=True)


@job(queue="quick")
def enqueue_more(name: str) -> None:
    """Enqueue others, whose names are new each time that this one is performed."""
    with noted(name):
        now = time.time_ns()
        for number in range(3):
            enqueue(work, f"{name}.{now}-{number}", 0.001)


@job(queue="slow")
def crash(name: str, how: str) -> None:
    with noted(name):
        CRASHES[how]()


@job(queue="slow", on_crash="retry", max_crashes=50)
def crash_once(name: str, how: str) -> None:
    """End its process the first time, and do its work afterwards."""
    is_first = not ledger.has(ledger.BEGAN, name)
    with noted(name):
        if is_first:
            CRASHES[how]()


@job(queue="quick", retries=30, backoff=[0.1, 0.5])
def try_again(name: str, failures: int) -> None:
    """Fail so often, and do its work afterwards."""
    with noted(name):
        if ledger.count(ledger.AGAIN, name) < failures:
            ledger.note(ledger.AGAIN, name)
            raise ValueError(f"an attempt of {name} fails")


@job(queue="slow")
def ask_again(name: str, times: int, seconds: float) -> None:
    """Ask so often for another attempt, and do its work afterwards."""
    with noted(name):
        if ledger.count(ledger.AGAIN, name) < times:
            ledger.note(ledger.AGAIN, name)
            raise Retry(in_=seconds)


@job(queue="slow", timeout=0.3, retries=2, backoff=[0.2])
def take_too_long_again(name: str, heeds: bool) -> None:
    """Be ended because of its timeout twice, by itself or by a kill, and do its work afterwards."""
    with noted(name):
        if ledger.count(ledger.AGAIN, name) < 2:
            ledger.note(ledger.AGAIN, name)
            sleep_on(heeds)


def sleep_on(heeds: bool) -> None:
    """Sleep until this process ends; an exception ends it only if it heeds that."""
    while True:
        try:
            time.sleep(60)
        except BaseException:
            if heeds:
                raise


@job(queue="quick", unique="queued", unique_by=lambda name, seconds: key_of(name))
def once(name: str, seconds: float) -> None:
    with noted(name):
        time.sleep(seconds)


@job(queue="slow", unique="until_done", unique_by=lambda name, seconds: key_of(name))
def one_at_a_time(name: str, seconds: float) -> None:
    with noted(name):
        time.sleep(seconds)


@job(queue="quick", debounce=0.1, unique_by=lambda name: key_of(name))
def last_call(name: str) -> None:
    with noted(name):
        pass


def key_of(name: str) -> str:
    """Return what the name of a unique job shares with those of its equals."""
    return name.partition("~")[2]


@job(queue="quick", name="tick", every=1)
def tick() -> None:
    """A recurring job, which has no name of its own: see ``tick_name``."""


@job(queue="slow", name="lone_tick", cron="* * * * * *", unique="until_done")
def lone_tick() -> None:
    time.sleep(0.01)


RECURRING = ("tick", "lone_tick")


def tick_name(recurring: Job) -> str:
    """Return what the ledger calls a job that a scheduler has enqueued."""
    return f"{recurring.name}-{recurring.id}"


def note_tick_begin(job: Job, **_: Any) -> None:
    note_begin(tick_name(job))


def note_tick_end(job: Job, outcome: Outcome, **_: Any) -> None:
    if outcome.kind is Kind.DONE:
        ledger.note(ledger.ENDED, tick_name(job))


for each in (tick, lone_tick):
    job_started.connect(note_tick_begin, sender=each)
    job_finished.connect(note_tick_end, sender=each)


@job(queue="slow", timeout=0.3)
def take_too_long(name: str) -> None:
    with noted(name):
        time.sleep(60)


@job(queue="slow", timeout=0.3)
def ignore_timeout(name: str) -> None:
    with noted(name):
        sleep_on(heeds=False)


@job(queue="slow", batch=False)
def meet(name: str, meeting: str, workers: int) -> None:
    """End when so many workers perform this at once; fail if one of them does not come."""
    with noted(name):
        deadline = time.monotonic() + MEETING_SECONDS
        while (met := sum(each.name.startswith(meeting) for each in ledger.read(ledger.BEGAN))) < workers:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{met} of {workers} workers perform jobs")
            time.sleep(0.05)


CRASHES: dict[str, Callable[[], Any]] = {
    "segfault": lambda: ctypes.string_at(0),
    "exit 0": lambda: os._exit(0),
    "exit 9": lambda: os._exit(9),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
}
REPEATED_BY_ITSELF = crash_once.function.__name__
"""The kind of jobs that begin again without any fault but their own."""
ENDING_THEIR_PROCESS = {
    each.function.__name__ for each in (crash, crash_once, take_too_long, take_too_long_again, ignore_timeout)
}
"""The kinds of jobs that may end their process. Others that run beside them begin again."""
