"""What becomes of a job that was in flight in a process that died: pure decisions."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jobqueue import failure, retrying
from jobqueue.exceptions import DirtyExit, InvalidPayload, JobTimeout, TermException
from jobqueue.held import Held
from jobqueue.payload import Job, decode, with_crashes
from jobqueue.retrying import Later, RetryPolicy

DIRTY_EXIT = f"{DirtyExit.__module__}.{DirtyExit.__qualname__}"
JOB_TIMEOUT = f"{JobTimeout.__module__}.{JobTimeout.__qualname__}"


class Ending(NamedTuple):
    """What becomes of a job in flight, by the script ``recover`` or by the worker that forked for it."""

    token: int
    how: str
    """``done``, ``killed``, ``failed``, ``pruned``, ``later`` or ``back``."""
    text: bytes = b""
    """The failure's entry, the payload to put back, or what waits to be tried again."""
    pause_ms: int = 0
    """How long that waits."""

    @property
    def fails(self) -> bool:
        """The job did not succeed, and its end is told; Ruby may have told it before."""
        return self.how in ("killed", "failed", "later")


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
RetryPolicyOf = Callable[[str], RetryPolicy]
"""The same for jobs that were ended."""


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
    is_stopped: bool = False
    """The supervisor ended it in a stop that the running jobs did not heed in time."""
    retry_of: RetryPolicyOf = lambda _: RetryPolicy()

    def __call__(self, held: Held, worker_id: str) -> Ending:
        if held.token in self.finished:
            return Ending(held.token, "done")
        if held.token not in self.suspects:
            return Ending(held.token, "back", held.payload)
        if held.token in self.overruns:
            return after_kill(held, worker_id, JobTimeout(str(self.overruns[held.token])), self.retry_of)
        if self.is_stopped:
            return after_kill(held, worker_id, TermException(self._how(), stops=True), self.retry_of)
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


def after_kill(
    held: Held, worker_id: str, why: JobTimeout | TermException, retry_of: RetryPolicyOf
) -> Ending:
    """Decide on a job whose process was killed because the job did not heed ``why`` in time.

    It is tried again as if it had passed that on; no code of the user's is called.
    """
    exception = JOB_TIMEOUT if isinstance(why, JobTimeout) else DIRTY_EXIT
    job = _job(held)
    if job and (later := _later(held, job, retry_of(job.name), why, exception)):
        return Ending(held.token, "later", later.member, later.pause_ms)
    return Ending(held.token, "killed", _entry(held, worker_id, str(why), exception))


def _later(
    held: Held, job: Job, policy: RetryPolicy, why: JobTimeout | TermException, exception: str
) -> Later | None:
    seconds = retrying.decide(policy, job, why, may_call=False)
    if seconds is None:
        return None
    try:
        return retrying.later(held.payload, held.queue, job, seconds, exception, str(why))
    except InvalidPayload:
        return None


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
