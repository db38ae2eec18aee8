"""Django signals that announce what happens to jobs. The sender is the job's definition."""

from __future__ import annotations

from django.dispatch import Signal

job_enqueued = Signal()
"""Redis has answered the enqueue. Arguments: ``job``, ``queue``."""

job_started = Signal()
"""A worker is about to perform the job. Arguments: ``job``, ``queue``."""

job_finished = Signal()
"""The job has ended. Arguments: ``job``, ``queue``, ``outcome`` (see ``performing.Outcome``)."""

job_push_failed = Signal()
"""Redis could not be told of a job. Arguments: ``queue``, ``payloads`` (texts ready to push), ``error``."""
