"""The jobs of the chaos run. Each notes when it begins and when it has done its work."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jobqueue import job
from jobqueue.definition import Definition
from tests.chaos import ledger

QUEUES = ("quick", "slow")


@contextmanager
def noted(name: str) -> Iterator[None]:
    ledger.note(ledger.BEGAN, name)
    yield
    ledger.note(ledger.ENDED, name)


@job(queue="quick")
def work(name: str, seconds: float) -> None:
    with noted(name):
        time.sleep(seconds)


@job(queue="slow")
def last(name: str, seconds: float) -> None:
    with noted(name):
        time.sleep(seconds)


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
    """Enqueue others, which are tried again with it if it is repeated."""
    with noted(name):
        for number in range(3):
            enqueue(work, f"{name}.{number}", 0.001)


@job(queue="slow")
def crash(name: str, how: str) -> None:
    with noted(name):
        CRASHES[how]()


@job(queue="slow", on_crash="retry", max_crashes=50)
def crash_once(name: str, how: str) -> None:
    """End its process the first time, and do its work afterwards."""
    is_first = not ledger.read(ledger.BEGAN)[name]
    with noted(name):
        if is_first:
            CRASHES[how]()


@job(queue="slow", timeout=0.3)
def take_too_long(name: str) -> None:
    with noted(name):
        time.sleep(60)


@job(queue="slow", timeout=0.3)
def ignore_timeout(name: str) -> None:
    with noted(name):
        while True:
            try:
                time.sleep(60)
            except BaseException:
                continue


CRASHES: dict[str, Callable[[], Any]] = {
    "segfault": lambda: ctypes.string_at(0),
    "exit 0": lambda: os._exit(0),
    "exit 9": lambda: os._exit(9),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
}


def enqueue(definition: Definition[..., Any], name: str, *args: Any) -> None:
    """Enqueue a job and note it, before and once Redis has acknowledged it."""
    ledger.note(ledger.TRIED, name)
    definition.enqueue(name, *args)
    ledger.note(ledger.ACKNOWLEDGED, name)
