"""Do what is due at a moment: bring delayed jobs to their queues, and fire recurring ones.

Any number of schedulers may run. They look after the locks of unique jobs, too. A scheduler sleeps until the
earliest moment that it knows of; of the user's code it runs nothing but ``unique_by`` of recurring jobs.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence

from redis.exceptions import ResponseError

from jobqueue.attention import Attention
from jobqueue.conf import settings
from jobqueue.firing import Firing
from jobqueue.link import UNREACHABLE, Link
from jobqueue.lockkeeping import LockKeeping
from jobqueue.patience import GaveUp, Patience
from jobqueue.schedulerbell import SchedulerBell
from jobqueue.store import promotion
from jobqueue.store.promotion import FEWEST, MOST, MOST_BARE, Batch

Duty = Callable[[Link, int], int | None]
"""Does all that is due at a moment, in ms by Redis's clock; returns when to come again, None if nobody knows.

May be called again after any error of redis-py.
"""
SLICE_SECONDS = 1.0
"""After so long the next duty has its turn."""
LEAST_SECONDS = 0.001

_log = logging.getLogger("jobqueue")


class Promotion:
    """Brings the delayed jobs of one kind that are due to their queues, batch by batch."""

    def __init__(
        self,
        promote: Callable[[Link, int, int], Batch],
        next_moment_ms: Callable[[Link], int | None],
        most: int,
    ) -> None:
        self._promote = promote
        self._next_moment_ms = next_moment_ms
        self._most = most

    def __call__(self, link: Link, now_ms: int) -> int | None:
        end, most = time.monotonic() + SLICE_SECONDS, FEWEST
        while (batch := self._promote(link, now_ms, most)).goes_on:
            most = batch.next_most(most, self._most)
            if time.monotonic() > end:
                return now_ms
        moment = self._next_moment_ms(link)
        # What is due and does not go is not ours, or has nowhere to go: nothing to hurry for
        return moment if moment is not None and moment > now_ms else None


def duties() -> list[Duty]:
    """Return all that a scheduler does."""
    return [
        Promotion(promotion.promote, promotion.next_moment_ms, MOST),
        Promotion(promotion.promote_bare, promotion.next_bare_moment_ms, MOST_BARE),
        Firing(),
        LockKeeping(),
    ]


class Scheduler:
    """Does its duties when they are due, until it is told to stop."""

    def __init__(self, attention: Attention, duties: Sequence[Duty]) -> None:
        self._attention = attention
        self._duties = duties
        self._patience = Patience(attention, f"scheduler {os.getpid()}", is_worth_it=lambda: False)
        self._link = Link()
        self._bell = SchedulerBell()
        self._complaints: set[str] = set()

    def run(self) -> None:
        """Schedule until told to stop."""
        try:
            while not self._attention.is_stopping:
                seconds = self._patience(self.turn)
                self._patience(lambda: self._bell.wait(seconds, self._attention))  # noqa: B023 - called at once
                self._attention.look_for_supervisor()
        except GaveUp:
            pass
        finally:
            self._bell.close()
            self._link.close()

    def turn(self) -> float:
        """Do what is due; return in how many seconds to come again. Raises redis-py's errors."""
        now_ms, began = promotion.now_ms(self._link), time.monotonic()
        # What comes after a long duty must not take this moment for the time
        moments = [self._done(duty, now_ms + int((time.monotonic() - began) * 1000)) for duty in self._duties]
        latest = now_ms + settings.scheduler_interval_seconds * 1000
        seconds = (min([latest, *(moment for moment in moments if moment is not None)]) - now_ms) / 1000
        return max(LEAST_SECONDS, seconds - (time.monotonic() - began))

    def _done(self, duty: Duty, now_ms: int) -> int | None:
        """Do a duty; what is in the way of one keeps no other waiting: a wrong key, a fault of ours."""
        try:
            return duty(self._link, now_ms)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            self._complain(f"What is due cannot be promoted, a key holds another type of value: {error}")
        except UNREACHABLE:
            raise
        except Exception as error:
            self._complain(f"What is due cannot be promoted: {type(error).__name__}: {error}", error)
        return None

    def _complain(self, complaint: str, error: Exception | None = None) -> None:
        """Tell of what is in the way, once."""
        if complaint not in self._complaints:
            _log.error("%s", complaint, exc_info=error)
            self._complaints.add(complaint)
