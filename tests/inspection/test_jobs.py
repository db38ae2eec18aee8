from __future__ import annotations

from jobqueue import ids
from jobqueue.attempts import Attempt
from jobqueue.inspection.jobs import ACTIVE_JOB, read_fields, read_job, seen
from jobqueue.payload import Job, write


def test_a_job_of_ours_tells_when_it_was_enqueued():
    payload = write(Job("A", [1], {"k": 2}, ids.new_id(), 1, "earlier"))

    job = read_job(payload)

    assert (job.name, job.args, job.kwargs, job.crashes, job.retry_of) == ("A", [1], {"k": 2}, 1, "earlier")
    assert job.enqueued_at is not None
    assert job.raw == payload


def test_a_job_tells_of_its_attempts():
    job = read_job(write(Job("A", [], attempts=(Attempt("t", "E", "e"),) * 2, attempts_dropped=3)))

    assert job.attempts == (Attempt("t", "E", "e"),) * 2
    assert (job.attempt, job.attempts_failed, job.first_attempt) == (6, 5, 4)


def test_a_job_of_rubys_has_neither_id_nor_time():
    job = read_job(b'{"class":"Emailer","args":["x"]}')

    assert (job.name, job.args, job.id, job.enqueued_at) == ("Emailer", ["x"], None, None)


def test_of_a_huge_job_only_its_name_is_read(settings):
    settings.JOBQUEUE_MAX_PAYLOAD_BYTES = 100
    small, large = (write(Job("A", ["x" * length])) for length in (100, 200))

    assert (read_job(small).is_large, read_job(small).args) == (False, ["x" * 100])
    job = read_job(large)
    assert (job.is_large, job.name, job.args, job.size_bytes) == (True, "A", [], len(large))


def test_a_huge_text_may_name_no_job(settings):
    settings.JOBQUEUE_MAX_PAYLOAD_BYTES = 10

    assert (read_job(b"x" * 21).is_large, read_job(b"x" * 21).name) == (True, "")


def test_a_text_that_is_no_job_is_shown_with_the_reason():
    job = read_job(b"{broken")

    assert job.raw == b"{broken"
    assert "no JSON" in job.complaint


def test_an_object_that_is_no_job_is_shown_with_the_reason():
    assert "names no job: its class is 3" in read_fields({"class": 3}).complaint


def test_a_job_of_rails_is_shown_by_its_own_name():
    job = seen(Job(ACTIVE_JOB, [{"job_class": "WelcomeJob"}]))

    assert (job.name, job.via_active_job) == ("WelcomeJob", True)


def test_a_wrapper_with_nothing_in_it_keeps_its_name():
    assert seen(Job(ACTIVE_JOB, [{"job_class": 3}])).name == ACTIVE_JOB
    assert seen(Job(ACTIVE_JOB, [])).via_active_job is False
