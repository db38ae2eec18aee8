"""Why running jobs are ended; ``process/test_ending`` and ``process/test_stopping`` show that they are."""

from __future__ import annotations

import signal
import time

import pytest

from jobqueue.attention import Attention
from jobqueue.endofjobs import EndOfJobs
from jobqueue.failure import Failure
from jobqueue.held import Held
from jobqueue.stopping import StopPlan, StopPlans


@pytest.fixture
def end_of_jobs(attention, page):
    return EndOfJobs(attention, page)


def test_a_signal_of_an_operator_that_comes_twice_ends_one_job(end_of_jobs):
    why = end_of_jobs.why()

    assert (str(why), why.goes_back) == ("SIGUSR1", False)
    assert end_of_jobs.why() is None


def test_in_a_stop_a_job_is_told_which_signal_has_ended_it(attention, end_of_jobs):
    attention.stop(signal.SIGTERM)
    attention.finish_by = time.monotonic()

    end_of_jobs.begin()

    why = end_of_jobs.why()
    assert (str(why), why.goes_back) == ("SIGTERM", True)


def test_jobs_that_run_on_go_back(attention, end_of_jobs):
    attention.stop()

    assert end_of_jobs.judge() is None


def test_jobs_that_run_on_in_resques_way_fail(end_of_jobs, page):
    plan = StopPlan(finish_seconds=0.0, cleanup_seconds=4.0, fails=True)
    heard = Attention(StopPlans(term_child=plan))
    heard.stop(signal.SIGTERM)

    judge = EndOfJobs(heard, page).judge()
    heard.close()

    ending = judge(Held(3, True, "work", b'{"class":"A","args":[]}'), "host:1:work")
    assert ending[:2] == (3, "killed")
    assert Failure.parse(ending.text).error == "The job did not end within 4 s of SIGTERM"
