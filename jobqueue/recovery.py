"""What becomes of a job that was in flight in a process that died: pure decisions."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from jobqueue import failure
from jobqueue.exceptions import DirtyExit, InvalidPayload
from jobqueue.keys import to_text
from jobqueue.payload import decode, with_crashes

NO_TOKENS = frozenset({b"worker", b"next"})
"""Fields of an ``inflight`` hash beside its tokens: the worker's id, the first token not yet claimed."""
DIRTY_EXIT = f"{DirtyExit.__module__}.{DirtyExit.__qualname__}"


class Held(NamedTuple):
    """A job in flight as Redis holds it."""

    token: int
    is_started: bool
    queue: str
    payload: bytes


class Ending(NamedTuple):
    """What the script ``recover`` shall do with a token."""

    token: int
    how: str
    """``done``, ``killed``, ``failed`` or ``back``."""
    text: bytes = b""
    """The failure's entry, or the payload to put back."""


Judge = Callable[[Held, str], Ending]
"""Decides on one held job of the worker with that id."""


def parse_held(fields: dict[bytes, bytes]) -> tuple[str, list[Held]]:
    """Read an ``inflight`` hash: the worker's id, and its jobs in the order of their claims."""
    worker_id = to_text(fields.get(b"worker", b""))
    held = [_held(int(token), value) for token, value in fields.items() if token not in NO_TOKENS]
    return worker_id, sorted(held)


def _held(token: int, value: bytes) -> Held:
    match = re.match(rb"([01]):(\d+):", value)
    if match is None:
        raise ValueError(f"{value[:80]!r} is not how a payload is held in flight")
    start, end = match.end(), match.end() + int(match[2])
    queue = to_text(value[start:end])
    return Held(token, match[1] == b"1", queue, value[end:])


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadWorker:
    """A worker process whose supervisor knows how it died and what it was doing.

    So only the running job is to blame: the finished ones are done, the others go back unblamed.
    """

    pid: int
    status: int
    """As ``os.waitpid`` returned it."""
    running: int
    """Token of the running job; 0 for none."""
    finished: range
    """Tokens of the jobs that had ended well and were not settled yet."""
    is_blameless: bool = False
    """The supervisor itself ended it, to stop in time: the running job goes back too."""

    def __call__(self, held: Held, worker_id: str) -> Ending:
        if held.token in self.finished:
            return Ending(held.token, "done")
        if held.token != self.running or self.is_blameless:
            return Ending(held.token, "back", held.payload)
        return Ending(held.token, "killed", _entry(held, worker_id, exit_text(self.pid, self.status)))


@dataclass(frozen=True, kw_only=True, slots=True)
class SilentRun:
    """A run whose heartbeats ended: its machine, supervisor or network died.

    A started job fails. One that was not yet known to last may have done it, so it counts a crash
    and is performed alone; one that has counted ``max_crashes`` of them fails.
    """

    max_crashes: int

    def __call__(self, held: Held, worker_id: str) -> Ending:
        if held.is_started:
            text = f"Worker {worker_id} did not gracefully exit while processing {_name(held)}"
            return Ending(held.token, "failed", _entry(held, worker_id, text))
        crashes = _crashes(held) + 1
        if crashes >= self.max_crashes:
            text = f"{_name(held)} was in flight in {crashes} processes that died, last in worker {worker_id}"
            return Ending(held.token, "failed", _entry(held, worker_id, text))
        return Ending(held.token, "back", with_crashes(held.payload, crashes))


def put_back(held: Held, worker_id: str) -> Ending:
    """Decide on the jobs of a worker that leaves: each goes back to the head of its queue."""
    return Ending(held.token, "back", held.payload)


def exit_text(pid: int, status: int) -> str:
    """Say how a process ended; ``status`` as ``os.waitpid`` returned it."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"Child process received unhandled signal pid {pid} {_signal_text(-code)}"
    return f"Child process pid {pid} exited with status {code} before its job had ended"


def _signal_text(number: int) -> str:
    """Name a signal as Ruby does; real-time signals have no name."""
    try:
        return f"{signal.Signals(number).name} (signal {number})"
    except ValueError:
        return f"signal {number}"


def _entry(held: Held, worker_id: str, error: str) -> bytes:
    return failure.entry(
        held.payload, exception=DIRTY_EXIT, error=error, backtrace=[], worker=worker_id, queue=held.queue
    )


def _name(held: Held) -> str:
    try:
        return decode(held.payload).name
    except InvalidPayload:
        return "an unreadable payload"


def _crashes(held: Held) -> int:
    try:
        return decode(held.payload).crashes
    except InvalidPayload:
        return 0
