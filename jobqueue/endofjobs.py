"""The end of running jobs that their worker does not wait for any more."""

from __future__ import annotations

import signal

from jobqueue import registry
from jobqueue.attention import Attention
from jobqueue.exceptions import TermException
from jobqueue.interruption import END_SIGNAL, term_exception
from jobqueue.recovery import Judge, after_kill
from jobqueue.sharedpage import SharedPage


class EndOfJobs:
    """Why a worker ends its running jobs, and what becomes of those that do not heed it."""

    def __init__(self, attention: Attention, page: SharedPage) -> None:
        self._attention = attention
        self._page = page

    def why(self) -> TermException | None:
        """Return what rises in a running job when the signal to end it comes; None if that meant another."""
        if not self._attention.is_ending:
            if not self._attention.counts(END_SIGNAL):
                return None
            self._page.end_running(self._attention.cleanup_seconds)
        return term_exception(self._page)

    def begin(self) -> None:
        """Note, in a stop, that the time of the running jobs is over, and what rises in them."""
        attention = self._attention
        self._page.end_with(attention.stop_signal, goes_back=not attention.plan.fails)

    def judge(self) -> Judge | None:
        """Return what decides on jobs that run on when all has to be over; None if they go back."""
        plan = self._attention.plan
        if not plan.fails:
            return None
        name = signal.Signals(self._attention.stop_signal).name
        why = TermException(f"The job did not end within {plan.cleanup_seconds:g} s of {name}", stops=True)
        return lambda held, worker_id: after_kill(held, worker_id, why, registry.retry_policy)
