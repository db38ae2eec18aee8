"""Does a supervisor of django-jobqueue live here? Answers in milliseconds, without Django and without Redis.

    $ jobhealth
    healthy: supervisor 4711 gave a sign of life 0.4 s ago; 4 of 4 workers live

A supervisor touches a file each second or so, and this looks at it. It stands beside the package
``jobqueue``, whose import alone costs ten times as much, since a probe may run every few seconds for years.
For the same reason it imports little.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

FOLDER_VARIABLE = "JOBQUEUE_HEALTH_FOLDER"
MAX_AGE_SECONDS = 30.0
"""A turn of a supervisor lasts a second, and some more while Redis gives no answer."""
TEXT_BYTES = 128
"""A sign is always of this length, so that it is changed in place, which needs no space on the disk."""
_NAME = "supervisor-"


class Unhealthy(Exception):
    """No supervisor lives here, one hangs, or too few workers live; the message tells which."""


class Sign:
    """What a supervisor tells of itself in its file; ``age`` is in seconds."""

    def __init__(self, pid: int, born: str, workers: int, wanted: int, age: float) -> None:
        self.pid, self.born, self.workers, self.wanted, self.age = pid, born, workers, wanted, age


def folder() -> str:
    """Return where signs of life are: what the environment names, else a folder of this user in memory.

    The default is the same for all processes of a user in a container, whatever their environment, and
    there is mostly room in it where the root file system is read-only or full.
    """
    return os.environ.get(FOLDER_VARIABLE) or os.path.join(_place(), f"jobqueue-{os.getuid()}")


def _place() -> str:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else "/tmp"


def path(where: str, pid: int) -> str:
    """Return the file of one supervisor."""
    return os.path.join(where, f"{_NAME}{pid}")


def text(pid: int, workers: int, wanted: int) -> bytes:
    """Return what a supervisor writes into its file."""
    return f"{pid} {born(pid)} {workers} {wanted}".encode().ljust(TEXT_BYTES - 1) + b"\n"


def born(pid: int) -> str:
    """Return what tells a process from an earlier one of the same pid; "" if it is gone, "?" if unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, *fields = file.read().rpartition(b")")[2].split()
        return "" if state in (b"Z", b"X") else fields[18].decode()
    except (FileNotFoundError, ProcessLookupError):
        return "" if os.path.exists("/proc/self/stat") or not _answers(pid) else "?"


def _answers(pid: int) -> bool:
    """Tell whether there is such a process, where the system has no /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def signs(where: str) -> tuple[list[Sign], list[str]]:
    """Return the signs of the supervisors that run, and the files left behind by others. Raises OSError."""
    living, left = [], []
    for name in sorted(os.listdir(where)):
        if not name.startswith(_NAME):
            continue
        file = os.path.join(where, name)
        sign = _read(file)
        if sign is not None and sign.born == born(sign.pid):
            living.append(sign)
        else:
            left.append(file)
    return living, left


def _read(file: str) -> Sign | None:
    try:
        with open(file, "rb") as opened:
            pid, born, workers, wanted = opened.read(TEXT_BYTES).decode().split()
            age = time.time() - os.fstat(opened.fileno()).st_mtime
        return Sign(int(pid), born, int(workers), int(wanted), age)
    except (OSError, ValueError):
        return None


def judge(where: str, max_age: float, workers: int) -> str:
    """Return a sentence on the supervisors whose signs are in a folder; raise Unhealthy with another one."""
    try:
        living, _ = signs(where)
    except FileNotFoundError:
        living = []
    except OSError as error:
        raise Unhealthy(f"signs of life cannot be looked for in {where}: {error.strerror}") from error
    if not living:
        raise Unhealthy(f"no supervisor lives that gives signs of life in {where} ({FOLDER_VARIABLE})")
    for sign in living:
        if sign.age > max_age:
            told = f"supervisor {sign.pid} has given no sign of life for {sign.age:.0f} s"
            raise Unhealthy(f"{told}; {max_age:g} s are allowed")
    alive, wanted = sum(sign.workers for sign in living), sum(sign.wanted for sign in living)
    if alive < workers:
        raise Unhealthy(f"{alive} of {wanted} workers live; {workers} are asked for")
    return f"{_told(living)}; {alive} of {wanted} workers live"


def _told(living: list[Sign]) -> str:
    oldest = max(max(sign.age for sign in living), 0.0)
    pids = ", ".join(str(sign.pid) for sign in living)
    return f"supervisor{'s' if len(living) > 1 else ''} {pids} gave a sign of life {oldest:.1f} s ago"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that this and ``manage.py jobhealth`` have in common."""
    parser.add_argument(
        "--max-age",
        type=float,
        default=MAX_AGE_SECONDS,
        help="A supervisor whose last sign is older, in seconds, hangs (%(default)g).",
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="How many workers have to live at the least (%(default)s)."
    )


def main() -> int:
    """Print one line and return the exit status: 0 if healthy, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="jobhealth",
        description="Does a supervisor of jobworkers live here? Exit status 0 or 1; one line says why.",
        epilog=f"Supervisors give signs of life in {folder()}; {FOLDER_VARIABLE} names another folder.",
    )
    add_arguments(parser)
    options = parser.parse_args()
    try:
        sys.stdout.write(f"healthy: {judge(folder(), options.max_age, options.workers)}\n")
    except Unhealthy as error:
        sys.stdout.write(f"unhealthy: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
