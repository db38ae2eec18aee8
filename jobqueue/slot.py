"""A place for one worker process under its supervisor."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import NamedTuple

from jobqueue import registry
from jobqueue.conf import settings
from jobqueue.recovery import DeadWorker, Overrun, no_retry
from jobqueue.sharedpage import SharedPage
from jobqueue.stacks import Stacks

REPLACE = 3
"""Exit status of a worker that leaves jobs to the one in its place: it was used up, or told to leave."""
KILL_AFTER_SECONDS = 0.5
"""How much longer than its time a worker may take to end a job, or to put it back, by itself."""


class Doing(NamedTuple):
    """What a worker does: its run, and the token of the running job, 0 for none."""

    run: str
    token: int


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
    """The supervisor has killed its worker to stop in time; the running job is not to blame."""
    is_told: bool = False
    """Its worker was told to stop."""
    killed_for: Doing | None = None
    """The supervisor has killed its worker, because of what that was doing."""
    overrun: Overrun | None = None
    """Which timeout it was that the supervisor has killed it for."""

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

    def kill(self, *, is_blameless: bool, doing: Doing | None = None) -> None:
        """End the worker at once; ``doing`` is the reason, where that is not just what it does now."""
        if self.killed_for is None:
            self.is_blameless = is_blameless
            self.killed_for = doing or self.doing
            self.send(signal.SIGKILL)

    def kill_if_overrun(self) -> None:
        """End the worker if its job, told that its time is over, has had its time to clean up too."""
        doing = self.doing
        if self.killed_for is None and self.page.seconds_to_kill <= 0 and doing == self.doing:
            self.overrun = Overrun(self.page.timeout_seconds, settings.timeout_grace_seconds)
            self.kill(is_blameless=False, doing=doing)

    def kill_if_stuck(self) -> None:
        """End the worker if a job that was told to end runs on."""
        doing = self.doing
        if self.page.seconds_to_end + KILL_AFTER_SECONDS <= 0 and doing == self.doing:
            self.kill(is_blameless=False, doing=doing)

    @property
    def doing(self) -> Doing:
        """What the worker does now."""
        return Doing(self.page.run, self.page.running)

    def dead(self, pid: int, status: int) -> DeadWorker:
        """Return all of a worker that has died that decides on its jobs."""
        # Between the decision to kill it and its end it may have begun another job, which is not to blame
        is_other = self.killed_for is not None and self.killed_for != self.doing
        return DeadWorker(
            pid=pid,
            status=status,
            running=self.page.running,
            finished=self.page.finished,
            policy_of=registry.crash_policy if self.killed_for is None else no_retry,
            is_blameless=self.is_blameless or is_other,
            overrun=self.overrun,
        )

    def end_job(self, number: int, seconds: float) -> None:
        """Tell the worker to end the job that it performs now, within a time."""
        self.page.end_running(seconds)
        self.send(number)

    @property
    def seconds_to_kill(self) -> float:
        """How long the worker may go on before it is killed, because of the running job."""
        return min(self.page.seconds_to_kill, self.page.seconds_to_end + KILL_AFTER_SECONDS)
