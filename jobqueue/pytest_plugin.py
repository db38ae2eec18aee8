"""The pytest fixture ``enqueued_jobs``; it comes with the package and needs no set-up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobqueue.testing import EnqueuedJobs, capture_jobs


@pytest.fixture
def enqueued_jobs() -> Iterator[EnqueuedJobs]:
    """Collect the jobs that the test enqueues, instead of Redis; see ``jobqueue.testing``."""
    with capture_jobs() as jobs:
        yield jobs
