"""The threads that perform the jobs of one worker."""

from __future__ import annotations

import threading

import pytest

from jobqueue import job
from jobqueue.crew import ThreadCrew, note_on_page
from jobqueue.exceptions import TermException
from jobqueue.outcome import Kind, Outcome
from jobqueue.payload import Job, encode
from jobqueue.sharedpage import SharedPage
from jobqueue.store.delivery import Claimed

pytestmark = pytest.mark.usefixtures("own_registry")
SECONDS = 10.0


@pytest.fixture
def page():
    page = SharedPage(lanes=2)
    yield page
    page.close()


@pytest.fixture
def woken():
    return threading.Semaphore(0)


@pytest.fixture
def crew(page, woken):
    return ThreadCrew(page.lanes, "host:1:work", woken.release)


def begin(crew, lane, token, name="x"):
    claimed = Claimed(token, "work", encode(Job(name, [])))
    lane.begin(token)
    crew.begin(claimed, lane)
    return claimed


def test_jobs_run_beside_each_other_and_tell_of_their_ends(crew, page, woken):
    both = threading.Barrier(2, timeout=SECONDS)
    job(name="x")(lambda: both.wait() and None)

    for token, lane in enumerate(page.lanes, start=1):
        begin(crew, lane, token)

    assert woken.acquire(timeout=SECONDS)
    assert woken.acquire(timeout=SECONDS)
    assert {ended.job.token for ended in crew.ended} == {1, 2}
    assert {ended.outcome.kind for ended in crew.ended} == {Kind.DONE}


def test_what_is_done_stands_on_the_page_before_anybody_is_told(crew, page, woken):
    job(name="x")(lambda: None)

    begin(crew, page.lanes[0], 7)

    assert woken.acquire(timeout=SECONDS)
    assert (page.running, page.finished) == (frozenset(), {7})


def test_what_has_failed_counts_as_running_until_its_failure_is_written(crew, page, woken):
    @job(name="x")
    def fail():
        raise ValueError

    begin(crew, page.lanes[0], 7)

    assert woken.acquire(timeout=SECONDS)
    assert (page.running, page.finished) == ({7}, frozenset())


def test_what_has_failed_as_it_was_told_to_is_not_stuck(page):
    lane = page.lanes[0]
    lane.begin(7)
    page.end_running(0.0)

    note_on_page(lane, Claimed(7, "work", b""), Outcome(Kind.FAILED, error=ValueError()))

    assert page.seconds_to_end == float("inf")


def test_what_goes_back_is_not_to_blame(page):
    lane = page.lanes[0]
    lane.begin(7)

    note_on_page(
        lane, Claimed(7, "work", b""), Outcome(Kind.PUT_BACK, error=TermException("SIGTERM", goes_back=True))
    )

    assert (page.running, page.finished) == (frozenset(), frozenset())


def test_a_job_of_a_run_that_was_lost_ends_for_nobody(page):
    lane = page.lanes[0]
    lane.begin(7)
    page.run = "another"

    note_on_page(lane, Claimed(7, "work", b""), Outcome(Kind.DONE))

    assert page.finished == frozenset()
