"""A place for one worker process under its supervisor."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field

from jobqueue.sharedpage import SharedPage
from jobqueue.stacks import Stacks

REPLACE = 3
"""Exit status of a worker that leaves jobs to the one in its place: it was used up, or told to leave."""


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
    ends_by: tuple[str, int, float] = ("", 0, 0.0)
    """The run and token of a job that was told to end, and when it has to have ended."""

    def close(self) -> None:
        """Forget the worker that was here."""
        self.page.close()
        self.stacks.close()

    def send(self, number: int) -> None:
        """Signal the worker."""
        os.kill(self.pid, number)

    def stop(self, number: int) -> None:
        """Tell the worker to stop, once; it looks at the page if a job has made it deaf."""
        if not self.is_told:
            self.is_told = True
            self.page.retire()
            self.send(number)

    def kill(self, *, is_blameless: bool) -> None:
        """End the worker at once."""
        self.is_blameless = is_blameless
        self.send(signal.SIGKILL)

    def end_job(self, number: int, seconds: float) -> None:
        """Tell the worker to end the job that it performs now, within a time."""
        self.ends_by = (self.page.run, self.page.running, time.monotonic() + seconds)
        self.send(number)

    @property
    def is_stuck(self) -> bool:
        """A job that was told to end runs on."""
        run, token, by = self.ends_by
        is_same = token and (self.page.run, self.page.running) == (run, token)
        return bool(is_same) and time.monotonic() > by
