"""How long a stop takes, and what becomes of the running job: chosen by the signal, before it comes.

By default each signal to stop is graceful. Resque's variables TERM_CHILD and GRACEFUL_TERM make them
differ: see docs/signals.md.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from math import inf

from jobqueue.conf import Settings, settings

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


@dataclass(frozen=True, kw_only=True, slots=True)
class StopPlan:
    """From the signal on the running job may run, is then ended, may clean up, and is then abandoned."""

    finish_seconds: float = Settings.shutdown_timeout_seconds
    """Without a limit: ``inf``."""
    cleanup_seconds: float = Settings.term_timeout_seconds
    fails: bool = False
    """A job that had to be ended goes to Failed; else it is put back."""

    @property
    def seconds(self) -> float:
        """How long the stop takes at the longest."""
        return self.finish_seconds + self.cleanup_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class StopPlans:
    """What each signal to stop means to one supervisor and its workers."""

    graceful: StopPlan = field(default_factory=StopPlan)
    term_child: StopPlan | None = None
    """Resque's way with TERM and INT, if that was asked for."""
    is_term_graceful: bool = False
    """TERM means the same as QUIT."""

    def of(self, number: int) -> StopPlan:
        """Return the plan for a signal."""
        if self._waits_without_limit(number):
            return StopPlan(finish_seconds=inf, cleanup_seconds=self.graceful.cleanup_seconds)
        return self.term_child or self.graceful

    @property
    def for_orphans(self) -> StopPlan:
        """The plan of a worker whose supervisor has died: it is gone before others take it for dead."""
        left = settings.dead_after_seconds - settings.heartbeat_seconds - 1
        cleanup = max(0.0, min(self.graceful.cleanup_seconds, left))
        return StopPlan(
            finish_seconds=max(0.0, min(self.graceful.finish_seconds, left - cleanup)),
            cleanup_seconds=cleanup,
            fails=self.graceful.fails,
        )

    def _waits_without_limit(self, number: int) -> bool:
        """With either of Resque's variables QUIT waits for the job; TERM does if it means the same."""
        as_resque = self.term_child is not None or self.is_term_graceful
        quits = number == signal.SIGQUIT or (number == signal.SIGTERM and self.is_term_graceful)
        return as_resque and quits
