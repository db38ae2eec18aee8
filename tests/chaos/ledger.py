"""The account of the chaos run: files that outlive every process, one line for each event."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

FOLDER = "CHAOS_LEDGER"
"""Environment variable that names the folder."""
FORKS = "CHAOS_FORKS"
"""Environment variable that is set where jobs are performed by children of their worker."""
LANES = "CHAOS_LANES"
"""Environment variable that is set where a process performs several jobs at a time."""

TRIED = "tried"
"""A job is about to be enqueued; the remark is its kind."""
ACKNOWLEDGED = "acknowledged"
"""Redis has answered that it is enqueued."""
REFUSED = "refused"
"""The enqueue has told that Redis does not have it."""
DROPPED = "dropped"
"""Its equal was there; the remark is when the call began."""
BEGAN = "began"
"""The remark is BESIDE where others may run in the same process."""
ENDED = "ended"
"""It has done all of its work."""
AGAIN = "again"
"""An attempt is about to end, and another one to follow."""
DELAYED = "delayed"
"""A job is about to be delayed; the remark is its moment, in seconds since the epoch."""
RETRIED = "retried"
"""Its failure is about to be retried."""
DEQUEUED = "dequeued"
"""It was taken out of its queue. The remark is ``surely``, or ``perhaps`` where the answer was lost."""
REMOVED = "removed"
"""Its failure was removed. The remark begins like that of DEQUEUED, and goes on with what failed."""
FAULTS = "faults"
"""The monkey has done something."""
CALMS = "calms"
"""Nothing was broken from the moment in the remark on."""

BESIDE = "beside"


class Note(NamedTuple):
    """One line."""

    name: str
    """Which job."""
    at: float
    """Seconds since the epoch."""
    pid: int
    """Of the process that wrote it; if that performs a job, of its worker."""
    remark: str


def note(book: str, name: str, remark: str = "") -> None:
    """Write a line. One write of one process is never mixed with another's, nor half done."""
    file = os.open(_path(book), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{name} {time.time():.6f} {_pid()} {remark}\n".encode())
    finally:
        os.close(file)


def read(book: str) -> Iterator[Note]:
    """Yield the lines of a book in their order."""
    with suppress(FileNotFoundError), _path(book).open() as lines:
        for line in lines:
            name, at, pid, remark = line.removesuffix("\n").split(" ", 3)
            yield Note(name, float(at), int(pid), remark)


def has(book: str, name: str) -> bool:
    """Tell whether a job stands in a book."""
    with suppress(FileNotFoundError):
        return f"\n{name} ".encode() in b"\n" + _path(book).read_bytes()
    return False


def count(book: str, name: str) -> int:
    """Return how often a job stands in a book."""
    return sum(note.name == name for note in read(book))


def size(book: str) -> int:
    """Return the length of a book in bytes, which grows with each line."""
    with suppress(FileNotFoundError):
        return _path(book).stat().st_size
    return 0


def _pid() -> int:
    return os.getppid() if FORKS in os.environ else os.getpid()


def _path(book: str) -> Path:
    return Path(os.environ[FOLDER]) / book
