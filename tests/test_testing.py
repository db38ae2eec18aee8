"""What the tests of a site use."""

from __future__ import annotations

import threading

import pytest
from django.db import transaction

import jobqueue
from jobqueue.payload import Job
from jobqueue.pytest_plugin import enqueued_jobs  # noqa: F401 - a fixture, also where the plugin is not installed
from jobqueue.testing import EnqueuedJobs, capture_jobs, perform_enqueued
from tests.sample import jobs


@pytest.fixture(autouse=True)
def no_redis(settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"


def test_what_is_enqueued_is_collected_instead():
    with capture_jobs() as collected:
        enqueued = jobs.send_email.enqueue("a@example.com")
        jobqueue.enqueue_to("urgent", jobs.record, 1)
        jobqueue.enqueue_many(jobs.record, [(2,), (3,)])
        jobqueue.push("reports", {"class": "Somebody::Else", "args": [4]})

    assert collected[0] == ("emails", enqueued)
    assert [(queue, job.args) for queue, job in collected[1:]] == [
        ("urgent", [1]),
        ("default", [2]),
        ("default", [3]),
        ("reports", [4]),
    ]


def test_the_fixture_collects_for_the_test(enqueued_jobs):  # noqa: F811
    jobs.send_email.enqueue("a@example.com")

    assert enqueued_jobs.of(jobs.send_email) == [Job("tests.sample.jobs.send_email", ["a@example.com"])]
    assert enqueued_jobs.of("Emailer") == enqueued_jobs.of(jobs.Exporter) == []


@pytest.mark.django_db
def test_jobs_are_collected_at_the_call_even_in_a_transaction():
    with capture_jobs() as collected, transaction.atomic():
        jobs.nothing.enqueue()

        assert len(collected) == 1


def test_what_other_threads_enqueue_is_collected_too():
    with capture_jobs() as collected:
        thread = threading.Thread(target=jobs.nothing.enqueue)
        thread.start()
        thread.join()

    assert len(collected) == 1


def test_the_innermost_block_collects():
    with capture_jobs() as outer:
        with capture_jobs() as inner:
            jobs.record.enqueue("inner")
        jobs.record.enqueue("outer")

    assert [job.args for _, job in inner] == [["inner"]]
    assert [job.args for _, job in outer] == [["outer"]]


def test_hooks_of_an_enqueue_run(done):
    jobs.Hooked.vetoes = {"before_enqueue"}

    with capture_jobs() as collected:
        jobqueue.enqueue(jobs.Hooked, 1)
        jobs.Hooked.vetoes = set()
        jobqueue.enqueue(jobs.Hooked, 2)

    assert [job.args for _, job in collected] == [[2]]
    assert done[-1] == ("after_enqueue", 2)


def test_collected_jobs_can_be_performed(done):
    with capture_jobs() as collected:
        jobs.send_email.enqueue("a@example.com", body="Hello")
        jobs.record.enqueue(1)

    assert perform_enqueued(collected) == 2
    assert done == [("send_email", "a@example.com", "", "Hello"), ("record", 1)]
    assert collected == []


def test_jobs_that_performed_jobs_enqueue_are_performed_too(done, own_registry):
    @jobqueue.job(name="count down")
    def count_down(number):
        jobs.record.enqueue(number)
        if number:
            count_down.enqueue(number - 1)

    with capture_jobs() as collected:
        count_down.enqueue(2)

    assert perform_enqueued(collected) == 6
    assert sorted(done) == [("record", 0), ("record", 1), ("record", 2)]


def test_what_a_performed_job_raises_reaches_the_test():
    with capture_jobs() as collected:
        jobs.fail.enqueue("told")
        jobs.nothing.enqueue()

    with pytest.raises(ValueError, match="told"):
        perform_enqueued(collected)

    assert len(collected) == 1


def test_nothing_to_perform_is_nothing():
    assert perform_enqueued(EnqueuedJobs()) == 0
