"""What every queue performs alike, and the account of it: a file, since not every queue counts."""

from __future__ import annotations

import os
import time

import django
from django.conf import settings

from benchmarks.peers.settings import SITE

ACCOUNT = os.open(os.environ.get("BENCH_ACCOUNT", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
CPU_SECONDS = 0.001
SLEEP_SECONDS = 0.01

if "BENCH_SITE" in os.environ and "DJANGO_SETTINGS_MODULE" not in os.environ:
    settings.configure(INSTALLED_APPS=SITE, USE_TZ=True)
    django.setup()


def noop(number: int, word: str, flag: bool) -> None:
    """Do nothing but being counted."""
    os.write(ACCOUNT, b".")


def cpu(number: int, word: str, flag: bool) -> None:
    """Compute for a millisecond."""
    until = time.thread_time() + CPU_SECONDS
    while time.thread_time() < until:
        pass
    os.write(ACCOUNT, b".")


def sleep(number: int, word: str, flag: bool) -> None:
    """Wait for ten milliseconds."""
    time.sleep(SLEEP_SECONDS)
    os.write(ACCOUNT, b".")


def tell(number: int, word: str, flag: bool) -> None:
    """Wait for ten milliseconds, and tell which job this was and in which process, before and after."""
    os.write(ACCOUNT, b"began %d in %d\n" % (number, os.getpid()))
    time.sleep(SLEEP_SECONDS)
    os.write(ACCOUNT, b"ended %d\n" % number)


KINDS = {"noop": noop, "cpu": cpu, "sleep": sleep, "tell": tell}


def calls(count: int) -> list[tuple[int, str, bool]]:
    """Return three small arguments for each of so many jobs."""
    return [(number, "invoice", True) for number in range(count)]
