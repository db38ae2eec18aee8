"""What people do on the dashboard while things break."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from jobqueue.inspection import failures
from jobqueue.inspection.failures import Listed
from jobqueue.payload import decode
from jobqueue.store import schedule
from jobqueue.store.failures import remove, retry_listed
from jobqueue.store.queues import pause, remove_jobs, resume
from tests.chaos import ledger
from tests.chaos.jobs import QUEUES, RECURRING
from tests.chaos.lives import how_failed, job_in
from tests.chaos.repairs import Repairs
from tests.chaos.site import KEYS, Site

T = TypeVar("T")


class Missed(Exception):
    """There is nothing now that this could be done to."""


class People:
    """What can be done to a site by those who run it. Each public method is one thing to do."""

    def __init__(self, site: Site, repairs: Repairs) -> None:
        self._site = site
        self._repairs = repairs
        self.chance = random.Random()
        """Decides on the details; another one for each fault."""

    def pause_queue(self) -> None:
        queue = self.chance.choice(QUEUES)
        self._later(0.1, 1.5, lambda: resume(queue))
        pause(queue)

    def pause_all(self) -> None:
        self._later(0.1, 1.5, lambda: self._site.client.delete(KEYS.pause_all))
        self._site.client.set(KEYS.pause_all, "true")

    def pause_recurring(self) -> None:
        entry = self.chance.choice(RECURRING)
        self._later(0.1, 1.5, lambda: schedule.resume([entry]))
        schedule.pause([entry])

    def retry_failures(self) -> None:
        found = self._failures()
        self._one(found)
        for listed in found:
            ledger.note(ledger.RETRIED, job_in(listed.failure))
            retry_listed(listed)

    def remove_failure(self) -> None:
        failure = self._one(self._failures()).failure
        self._sure(ledger.REMOVED, job_in(failure), lambda: remove(failure.raw), how_failed(failure))

    def dequeue(self) -> None:
        """Take a job out of its queue that never was in flight."""
        waiting = self._site.waiting()
        marks = (b'"crashes"', b'"attempts"', b'"retry_of"')
        fresh = [each for each in waiting if not any(mark in each[1] for mark in marks)]
        queue, text = self._one([each for each in fresh if decode(each[1]).name not in RECURRING])
        self._sure(ledger.DEQUEUED, str(decode(text).args[0]), lambda: remove_jobs(queue, [text]))

    def _sure(self, book: str, name: str, step: Callable[[], int], remark: str = "") -> None:
        """Note that a step was done, and if its answer is lost that it may have been."""
        try:
            is_done = step()
        except BaseException:
            ledger.note(book, name, f"perhaps {remark}")
            raise
        if not is_done:
            raise Missed
        ledger.note(book, name, f"surely {remark}")

    def _failures(self) -> list[Listed]:
        """Return some failures that were not retried, of jobs that are known by their first argument."""
        found = [each for each in failures.page(0, 100).failures if not each.failure.retried_at]
        found = [each for each in found if each.failure.job and each.failure.job.args]
        return self.chance.sample(found, min(len(found), 10))

    def _one(self, found: Sequence[T]) -> T:
        if not found:
            raise Missed
        return self.chance.choice(found)

    def _later(self, least: float, most: float, repair: Callable[[], object]) -> None:
        self._repairs.after(self.chance.uniform(least, most), repair)
