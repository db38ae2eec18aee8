"""What a worker's process does around the worker."""

from __future__ import annotations

import time

import pytest

from jobqueue import stacks
from jobqueue import workerprocess as module
from jobqueue.forkingworker import ForkingWorker
from jobqueue.patterns import QueueList
from jobqueue.slot import REPLACE, Slot
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions

pytestmark = pytest.mark.usefixtures("redis", "own_title", "no_stacks")


@pytest.fixture
def no_stacks(monkeypatch):
    """Leave the signal for stacks to pytest."""
    told = []
    monkeypatch.setattr(stacks.Stacks, "write_when_told", lambda self, passes_on: told.append(passes_on))
    return told


def work(attention, **options):
    return module.work(WorkerOptions(queues=QueueList.parse("work"), **options), Slot(), attention)


@pytest.mark.parametrize(
    ("jobs_per_fork", "kind", "passes_on"),
    [(0, "Worker", False), (1, "ForkingWorker", True), (2, "Worker", False)],
)
def test_the_options_choose_the_kind_of_worker(
    monkeypatch, attention, no_stacks, jobs_per_fork, kind, passes_on
):
    ran = []
    for each in (Worker, ForkingWorker):
        monkeypatch.setattr(each, "run", lambda self: (ran.append(type(self).__name__), self.leave()))

    work(attention, jobs_per_fork=jobs_per_fork)

    assert (ran, no_stacks) == ([kind], [passes_on])


def test_only_a_worker_that_has_found_no_more_jobs_needs_no_other_in_its_place(attention):
    assert work(attention, burst=True, jobs_per_fork=1) == 0

    attention.stop()
    assert work(attention, burst=True, jobs_per_fork=1) == REPLACE


def test_a_worker_that_cannot_tell_redis_that_it_leaves_ends_badly(attention, settings, caplog):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
    attention.stop()
    attention.stop_by = time.monotonic()

    assert work(attention, jobs_per_fork=1) == 1

    assert "leaves while Redis is away; what it had will be recovered" in caplog.text
