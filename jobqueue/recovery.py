"""What becomes of a job that was in flight in a process that died: pure decisions."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jobqueue import failure
from jobqueue.exceptions import DirtyExit, InvalidPayload, JobTimeout
from jobqueue.keys import to_text
from jobqueue.payload import Job, decode, with_crashes

NO_TOKENS = frozenset({b"worker", b"next"})
"""Fields of an ``inflight`` hash beside its tokens: the worker's id, the first token not yet claimed."""
_TOKEN = re.compile(rb"[1-9][0-9]{0,15}")
_HELD = re.compile(rb"([01]):(\d{1,9}):")
DIRTY_EXIT = f"{DirtyExit.__module__}.{DirtyExit.__qualname__}"
JOB_TIMEOUT = f"{JobTimeout.__module__}.{JobTimeout.__qualname__}"


class Held(NamedTuple):
    """A job in flight as Redis holds it."""

    token: int
    is_started: bool
    queue: str
    payload: bytes


class Ending(NamedTuple):
    """What becomes of a job in flight, by the script ``recover`` or by the worker that forked for it."""

    token: int
    how: str
    """``done``, ``killed``, ``failed``, ``pruned`` or ``back``."""
    text: bytes = b""
    """The failure's entry, or the payload to put back."""

    @property
    def fails(self) -> bool:
        return self.how in ("killed", "failed")


Judge = Callable[[Held, str], Ending]
"""Decides on one held job of the worker with that id."""


class CrashPolicy(NamedTuple):
    """What becomes of the jobs of one definition when their process dies."""

    retries: bool = False
    """One that was being performed is tried again, alone; else it fails."""
    max_crashes: int = 3
    """One that was in flight in so many processes that died fails in any case."""


def no_retry(name: str) -> CrashPolicy:
    """Say of any job that it is not tried again: its process did not die by itself."""
    return CrashPolicy(retries=False)


PolicyOf = Callable[[str], CrashPolicy]
"""Looks up the policy for jobs of that name, which may be unknown, or empty for what is no job."""


def parse_held(fields: dict[bytes, bytes]) -> tuple[str, list[Held]]:
    """Read an ``inflight`` hash: the worker's id, and its jobs in the order of their claims."""
    worker_id = to_text(fields.get(b"worker", b""))
    held = [read_held(_token(field), value) for field, value in fields.items() if field not in NO_TOKENS]
    return worker_id, sorted(held)


def is_token(field: bytes) -> bool:
    """Tell whether a field of an ``inflight`` hash is a token as scripts write them."""
    return bool(_TOKEN.fullmatch(field))


def _token(field: bytes) -> int:
    if not is_token(field):
        raise ValueError(f"{field[:80]!r} is no token of a job in flight")
    return int(field)


def read_held(token: int, value: bytes) -> Held:
    """Read ``<0|1>:<bytes of the queue's name>:<queue><payload>``; raise ValueError if it is no such text."""
    match = _HELD.match(value)
    start = match.end() if match else 0
    end = start + int(match[2]) if match else 0
    if match is None or end > len(value):
        raise ValueError(f"{value[:80]!r} is not how a payload is held in flight")
    return Held(token, match[1] == b"1", to_text(value[start:end]), value[end:])


class Overrun(NamedTuple):
    """A job that ran longer than its timeout, and did not end in the grace time either."""

    timeout_seconds: float
    grace_seconds: float

    def __str__(self) -> str:
        return (
            f"{timeout_text(self.timeout_seconds)}, did not end within {self.grace_seconds:g} s of its "
            "JobTimeout, and its process was killed"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadWorker:
    """A worker process whose supervisor knows how it died and what it was doing.

    So only running jobs are to blame: the finished ones are done, the others go back unblamed.
    """

    pid: int
    status: int
    """As ``os.waitpid`` returned it."""
    suspects: Collection[int]
    """Tokens of the running jobs that may be to blame: none if the supervisor ended it to stop in time."""
    finished: Collection[int]
    """Tokens of the jobs that had ended well and were not settled yet."""
    policy_of: PolicyOf
    overruns: Mapping[int, Overrun] = field(default_factory=dict)
    """The supervisor ended it because of these jobs, by their tokens."""

    def __call__(self, held: Held, worker_id: str) -> Ending:
        if held.token in self.finished:
            return Ending(held.token, "done")
        if held.token not in self.suspects:
            return Ending(held.token, "back", held.payload)
        if held.token in self.overruns:
            return Ending(held.token, "killed", overrun_entry(held, worker_id, self.overruns[held.token]))
        return after_crash(held, worker_id, self._how(), self.policy_of)

    def _how(self) -> str:
        how = exit_text(self.pid, self.status)
        others = len(self.suspects) - 1
        return (
            f"{how}. It was performing {others} more, and which one was to blame is not known"
            if others
            else how
        )


def after_crash(held: Held, worker_id: str, how: str, policy_of: PolicyOf) -> Ending:
    """Decide on a job that was being performed in a process that died; ``how`` tells how it died."""
    policy, crashes = _policy(held, policy_of), _crashes(held) + 1
    if policy.retries and crashes < policy.max_crashes:
        return Ending(held.token, "back", with_crashes(held.payload, crashes))
    text = how if crashes == 1 else f"{how}. {_in_flight(held, crashes)}"
    return Ending(held.token, "killed", _entry(held, worker_id, text))


@dataclass(frozen=True, slots=True)
class SilentRun:
    """A run whose heartbeats ended: its machine, supervisor or network died.

    A started job fails, or is tried again as its definition says. One that was not yet known to last may
    have done it, so it counts a crash and is performed alone. Either fails at the last crash it may have.
    """

    policy_of: PolicyOf

    def __call__(self, held: Held, worker_id: str) -> Ending:
        policy, crashes = _policy(held, self.policy_of), _crashes(held) + 1
        if held.is_started and not policy.retries:
            text = f"Worker {worker_id} did not gracefully exit while processing {_name(held)}"
        elif crashes >= policy.max_crashes:
            text = f"{_in_flight(held, crashes)}, last in worker {worker_id}"
        else:
            return Ending(held.token, "back", with_crashes(held.payload, crashes))
        return Ending(held.token, "failed", _entry(held, worker_id, text))


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


def overrun_entry(held: Held, worker_id: str, overrun: Overrun) -> bytes:
    """Return the failure entry of a job whose process was killed because of its timeout."""
    return _entry(held, worker_id, str(overrun), JOB_TIMEOUT)


def dirty_exit(payload: bytes, queue: str, worker_id: str, error: str) -> bytes:
    """Return the failure entry of a job whose process died, or was given up."""
    return _entry(Held(0, True, queue, payload), worker_id, error)


def timeout_text(seconds: float) -> str:
    """Say what was wrong with a job whose timeout this is."""
    return f"The job ran longer than its timeout of {seconds:g} s"


def _entry(held: Held, worker_id: str, error: str, exception: str = DIRTY_EXIT) -> bytes:
    return failure.entry(
        held.payload, exception=exception, error=error, backtrace=[], worker=worker_id, queue=held.queue
    )


def _in_flight(held: Held, crashes: int) -> str:
    deaths = "1 process" if crashes == 1 else f"{crashes} processes"
    return f"{_name(held)} was in flight in {deaths} that died"


def _name(held: Held) -> str:
    job = _job(held)
    return job.name if job else "an unreadable payload"


def _crashes(held: Held) -> int:
    job = _job(held)
    return job.crashes if job else 0


def _policy(held: Held, policy_of: PolicyOf) -> CrashPolicy:
    job = _job(held)
    return policy_of(job.name if job else "")


def _job(held: Held) -> Job | None:
    try:
        return decode(held.payload)
    except InvalidPayload:
        return None
