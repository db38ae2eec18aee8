"""Help for the tests of a site: collect what would be enqueued, and perform it.

    def test_signing_up_sends_a_mail(enqueued_jobs):  # the pytest fixture; else: with capture_jobs() as jobs:
        sign_up("person@example.com")

        assert enqueued_jobs.of(send_email) == [Job("blog.jobs.send_email", ["person@example.com"])]

        perform_enqueued(enqueued_jobs)
        assert len(mail.outbox) == 1

Jobs are collected at the call and not at a commit, which a test inside a transaction never sees. For the same
reason what ``enqueue_on_change`` and background values enqueue is collected at each change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from jobqueue import performing, registry
from jobqueue.collection import Collection, collecting
from jobqueue.definition import Definition
from jobqueue.payload import Job, decode, encode


class EnqueuedJobs(Collection):
    """What was enqueued, in order: pairs of ``queue`` and ``job``.

    ``delayed`` has what was delayed: triples of ``queue``, ``job``, and the moment ``at`` when it is due.
    """

    def of(self, definition: Definition[..., Any] | type | str) -> list[Job]:
        """Return the jobs of one definition, without their ids and locks, fit to be compared."""
        name = registry.resolve(definition).name
        return [msgspec.structs.replace(job, id=None, unique=None) for _, job in self if job.name == name]


@contextmanager
def capture_jobs() -> Iterator[EnqueuedJobs]:
    """Collect what is enqueued in a block, by any thread; Redis is not touched."""
    jobs = EnqueuedJobs()
    with collecting(jobs):
        yield jobs


def perform_enqueued(jobs: EnqueuedJobs, *, until: datetime | None = None) -> int:
    """Perform collected jobs, oldest first, and those that they enqueue; return how many there were.

    Each is taken out of ``jobs``, gets its arguments as JSON gives them back, and runs among its hooks.
    What one raises reaches the test. Delayed jobs stay, but for those that are due ``until`` an aware moment:
    they follow, the earliest first.
    """
    performed = 0
    with collecting(jobs):
        while job := _next(jobs, until):
            performing.run(registry.get(job.name), decode(encode(job)))
            performed += 1
    return performed


def _next(jobs: EnqueuedJobs, until: datetime | None) -> Job | None:
    """Take out the job to perform next."""
    if jobs:
        return jobs.pop(0).job
    due = [each for each in jobs.delayed if until is not None and each.at <= until]
    if not due:
        return None
    first = min(due, key=lambda each: each.at)
    jobs.delayed.remove(first)
    return first.job
