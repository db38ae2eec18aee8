"""Django signals that announce what happens to jobs, and to workers.

The sender is the job's definition, or the worker's class.
"""

from __future__ import annotations

from django.dispatch import Signal

job_enqueued = Signal()
"""Redis has answered the enqueue. Arguments: ``job``, ``queue``; ``at``, when it is due if it was delayed."""

job_started = Signal()
"""A worker is about to perform the job. Arguments: ``job``, ``queue``."""

job_finished = Signal()
"""The job has ended. Arguments: ``job``, ``queue``, ``outcome`` (see ``outcome.Outcome``)."""

job_push_failed = Signal()
"""Redis could not be told of a job.

Arguments: ``queue``, ``payloads`` (texts ready to push), ``error``; ``at``, when they are due if they were to
be delayed.
"""

worker_paused = Signal()
"""A worker was told to pause, and performs nothing now. Resque's before_pause. Argument: ``worker_id``."""

worker_continued = Signal()
"""A worker that was paused was told to continue. Resque's after_pause. Argument: ``worker_id``."""
