"""Ways of a job to take longer than it may."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from itertools import repeat


def spin() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(600)


def rest() -> None:
    """Wait, and take a step in Python now and then: a job in a thread is ended at one."""
    while True:
        time.sleep(0.01)


def sleep_in_c() -> None:
    """Wait in a library that knows nothing of Python, with its interpreter locked."""
    ctypes.PyDLL(None).sleep(600)


def match() -> None:
    re.match(r"(a+)+$", "a" * 60 + "!")


def wait_for_thread() -> None:
    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    thread.join()


def wait_for_process() -> None:
    pid = os.fork()
    if pid == 0:
        # Short, since nobody is there to end it
        time.sleep(5)
        os._exit(0)
    os.waitpid(pid, 0)


def compute_in_c() -> None:
    """Compute without end where no signal is heard and no other thread runs."""
    any(repeat(False))


def swallow() -> None:
    while True:
        try:
            sleep()
        except BaseException:  # noqa: B036 - just what this is about
            continue


def swallow_and_rest() -> None:
    while True:
        try:
            rest()
        except BaseException:  # noqa: B036 - just what this is about
            continue


def hear_alarm() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    sleep()


def stop_alarm() -> None:
    signal.alarm(0)
    sleep()


def block_alarm() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    sleep()


def clean_up_for_long() -> None:
    try:
        sleep()
    finally:
        sleep()


WAYS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        spin,
        sleep,
        rest,
        sleep_in_c,
        match,
        wait_for_thread,
        wait_for_process,
        compute_in_c,
        swallow,
        swallow_and_rest,
        hear_alarm,
        stop_alarm,
        block_alarm,
        clean_up_for_long,
    )
}
