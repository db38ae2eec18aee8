"""Resque for Django: jobs that wait in Redis and are never lost.

In the module ``jobs`` of an installed app::

    from jobqueue import job

    @job(queue="emails")
    def send_email(to, subject, body): ...

Anywhere else::

    send_email.enqueue("person@example.com", "Sample Subject", "…")

``manage.py jobworker`` performs the jobs, and ``jobqueue.urls`` shows them. Inside a transaction a job is
enqueued when the transaction commits.
"""

from __future__ import annotations

from jobqueue import unix  # noqa: F401 - first, to refuse Windows before anything less clear goes wrong
from jobqueue.api import (
    delay_or_enqueue_at,
    delay_or_enqueue_in,
    delayed_jobs,
    dequeue,
    enqueue,
    enqueue_at,
    enqueue_at_to,
    enqueue_in,
    enqueue_in_to,
    enqueue_many,
    enqueue_to,
    peek,
    push,
)
from jobqueue.background import BackgroundValue, read_values
from jobqueue.changes import call_on_change, enqueue_on_change
from jobqueue.defining import job
from jobqueue.definition import Definition
from jobqueue.delayedjobs import DelayedJobs
from jobqueue.exceptions import DontPerform, JobQueueError, JobTimeout, Retry, TermException
from jobqueue.inspection.delayed import DelayedJob
from jobqueue.inspection.queues import names as queues
from jobqueue.inspection.queues import size
from jobqueue.inspection.stats import info
from jobqueue.inspection.values import Reading
from jobqueue.inspection.workers import workers, working
from jobqueue.payload import Job
from jobqueue.schedule import remove_schedule, set_schedule
from jobqueue.signals import (
    job_enqueued,
    job_finished,
    job_push_failed,
    job_started,
    worker_continued,
    worker_paused,
)
from jobqueue.store.queues import remove_queue

__all__ = [
    "BackgroundValue",
    "Definition",
    "DelayedJob",
    "DelayedJobs",
    "DontPerform",
    "Job",
    "JobQueueError",
    "JobTimeout",
    "Reading",
    "Retry",
    "TermException",
    "call_on_change",
    "delay_or_enqueue_at",
    "delay_or_enqueue_in",
    "delayed_jobs",
    "dequeue",
    "enqueue",
    "enqueue_at",
    "enqueue_at_to",
    "enqueue_in",
    "enqueue_in_to",
    "enqueue_many",
    "enqueue_on_change",
    "enqueue_to",
    "info",
    "job",
    "job_enqueued",
    "job_finished",
    "job_push_failed",
    "job_started",
    "peek",
    "push",
    "queues",
    "read_values",
    "remove_queue",
    "remove_schedule",
    "set_schedule",
    "size",
    "worker_continued",
    "worker_paused",
    "workers",
    "working",
]
