"""A place for one worker process under its supervisor."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import NamedTuple

from jobqueue import registry
from jobqueue.conf import settings
from jobqueue.recovery import DeadWorker, Overrun, SilentRun, no_retry
from jobqueue.sharedpage import SharedPage
from jobqueue.stacks import Stacks

REPLACE = 3
"""Exit status of a worker that leaves jobs to the one in its place: it was used up, or told to leave."""
KILL_AFTER_SECONDS = 0.5
"""How much longer than its time a worker may take to end a job, or to put it back, by itself."""


class Doing(NamedTuple):
    """What a worker does: its run, and the tokens of running jobs."""

    run: str
    tokens: frozenset[int]


@dataclass
class Slot:
    """A place for one worker process: the one in it now, and when the next one may start."""

    page: SharedPage = field(default_factory=SharedPage)
    stacks: Stacks = field(default_factory=Stacks)
    pid: int = 0
    worker_id: str = ""
    started_at: float = 0.0
    """Seconds since the epoch."""
    restart_at: float = 0.0
    """Seconds of ``time.monotonic``."""
    is_finished: bool = False
    """Its worker has left, and no other shall come."""
    is_blameless: bool = False
    """The supervisor has killed its worker to stop in time; no running job is to blame."""
    is_told: bool = False
    """Its worker was told to stop."""
    killed_for: Doing | None = None
    """The supervisor has killed its worker, because of what that was doing."""
    overruns: dict[int, Overrun] = field(default_factory=dict)
    """The timeouts that the supervisor has killed it for, by the tokens of the jobs."""
    is_stopped: bool = False
    """The supervisor has killed its worker in a stop."""

    def close(self) -> None:
        """Forget the worker that was here."""
        self.page.close()
        self.stacks.close()

    def send(self, number: int) -> None:
        """Signal the worker."""
        os.kill(self.pid, number)

    def retire(self, number: int) -> None:
        """Let the worker leave after its running job, however long that takes; the signal only wakes it."""
        if not self.page.retires:
            self.page.retire()
            self.send(number)

    def stop(self, number: int) -> None:
        """Tell the worker to stop, once; it looks at the page if a job has made it deaf."""
        if not self.is_told:
            self.is_told = True
            self.page.retire()
            self.send(number)

    def kill(self, *, is_blameless: bool = False, because_of: frozenset[int] | None = None) -> None:
        """End the worker at once, because of some of its jobs, or of all in a stop."""
        if self.killed_for is None:
            self.is_stopped = because_of is None
            self.is_blameless = is_blameless
            self.killed_for = Doing(self.page.run, self.page.running if because_of is None else because_of)
            self.send(signal.SIGKILL)

    def kill_if_stuck(self) -> None:
        """End the worker if a job that was told to end runs on."""
        lanes = self.page.lanes
        stuck = frozenset(lane.running for lane in lanes if lane.seconds_to_end + KILL_AFTER_SECONDS <= 0)
        if stuck:
            self.kill(because_of=stuck)

    def kill_if_overrun(self) -> None:
        """End the worker if a job, told that its time is over, has had its time to clean up too."""
        overruns = {}
        for lane in self.page.lanes:
            token, timeout = lane.running, lane.timeout_seconds
            if lane.seconds_to_kill <= 0 and token == lane.running:
                overruns[token] = Overrun(timeout, settings.timeout_grace_seconds)
        if overruns and self.killed_for is None:
            self.overruns = overruns
            self.kill(because_of=frozenset(overruns))

    def dead(self, pid: int, status: int) -> DeadWorker | SilentRun:
        """Return what decides on the jobs of a worker that has died; of an unknown page nothing is read."""
        if not self.page.is_known:
            return SilentRun(registry.crash_policy)
        return DeadWorker(
            pid=pid,
            status=status,
            suspects=self.suspects,
            finished=self.page.finished,
            policy_of=registry.crash_policy if self.killed_for is None else no_retry,
            overruns=self.overruns,
            is_stopped=self.is_stopped,
            retry_of=registry.retry_policy,
        )

    @property
    def suspects(self) -> frozenset[int]:
        """The tokens of the running jobs that may be to blame for the end of the worker."""
        running = self.page.running
        if self.killed_for is None:
            return running
        # Between the decision to kill it and its end it may have begun other jobs, which are not to blame
        is_to_blame = self.killed_for.run == self.page.run and not self.is_blameless
        return running & self.killed_for.tokens if is_to_blame else frozenset()

    def end_jobs(self, number: int, seconds: float) -> None:
        """Tell the worker to end the jobs that it performs now, within a time."""
        self.page.end_running(seconds)
        self.send(number)

    @property
    def seconds_to_kill(self) -> float:
        """How long the worker may go on before it is killed, because of a running job."""
        return min(self.page.seconds_to_kill, self.page.seconds_to_end + KILL_AFTER_SECONDS)
