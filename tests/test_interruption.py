from __future__ import annotations

import os
import signal
import time

import pytest

from jobqueue.exceptions import JobTimeout, TermException
from jobqueue.interruption import END_SIGNAL, TIMEOUT_SIGNAL, term_exception


def work_on():
    """Be a job that does not end by itself (here: not for long)."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        pass


def timer_seconds():
    return signal.getitimer(signal.ITIMER_REAL)[0]


# The timeout


def test_a_job_whose_time_is_over_gets_an_exception_that_tells_the_limit(interruption):
    interruption.open(0.01)

    with pytest.raises(JobTimeout, match=r"^The job ran longer than its timeout of 0.01 s$"):
        work_on()

    assert interruption.lift()
    assert not interruption.lift()


def test_a_job_is_interrupted_once_so_that_it_can_clean_up(interruption):
    interruption.open(0.01)
    with pytest.raises(JobTimeout):
        work_on()

    signal.raise_signal(TIMEOUT_SIGNAL)
    signal.raise_signal(END_SIGNAL)

    assert not interruption.is_open


def test_nothing_rises_before_a_job_or_after_it(interruption):
    signal.raise_signal(END_SIGNAL)
    interruption.open(0.01)
    interruption.close()
    signal.raise_signal(TIMEOUT_SIGNAL)
    signal.raise_signal(END_SIGNAL)

    assert not interruption.lift()


def test_the_page_tells_when_to_kill_the_process_until_the_job_has_ended(interruption, page, settings):
    settings.JOBQUEUE_TIMEOUT_GRACE_SECONDS = 7
    before = time.monotonic_ns()

    interruption.open(60)

    assert before + 67e9 <= page.lanes[0].kill_at <= time.monotonic_ns() + 67e9
    assert page.lanes[0].timeout_seconds == 60
    assert 59 < timer_seconds() <= 60
    interruption.close()
    interruption.lift()
    assert (page.lanes[0].kill_at, timer_seconds()) == (0, 0)


@pytest.mark.parametrize("timeout", [None, float("inf"), 1e12])
def test_a_job_without_a_timeout_sets_no_timer(interruption, page, timeout):
    interruption.open(timeout)

    assert (page.lanes[0].kill_at, timer_seconds()) == (0, 0)


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 60), (10, 10), (float("inf"), 0)])
def test_a_site_has_a_timeout_for_jobs_that_name_none(interruption, page, timeout, seconds):
    interruption.keep_timeouts(page.lanes[0], 60)

    interruption.open(timeout)

    assert timer_seconds() == pytest.approx(seconds, abs=5)


def test_a_process_that_keeps_no_timeouts_sets_no_timer(interruption):
    interruption._lane = None

    interruption.open(60)

    assert timer_seconds() == 0


def test_an_alarm_of_the_jobs_own_is_no_timeout_and_hinders_none(interruption):
    interruption.open(60)
    signal.setitimer(signal.ITIMER_REAL, 0)

    signal.raise_signal(TIMEOUT_SIGNAL)

    assert interruption.is_open
    assert 59 < timer_seconds() <= 60


def test_an_alarm_that_a_job_left_behind_does_not_meet_the_next_one(interruption):
    interruption.open(60)
    interruption.close()
    interruption.lift()
    interruption.open()

    signal.raise_signal(TIMEOUT_SIGNAL)

    assert interruption.is_open


def test_a_job_that_hears_the_alarm_itself_does_not_hinder_the_next_timeout(interruption):
    interruption.open(60)
    signal.signal(TIMEOUT_SIGNAL, signal.SIG_IGN)
    interruption.close()
    interruption.lift()

    interruption.open(0.01)

    with pytest.raises(JobTimeout):
        work_on()


def test_a_process_that_a_job_forks_is_not_interrupted(interruption):
    interruption.open(60)

    pid = os.fork()
    if pid == 0:
        is_default = signal.getsignal(TIMEOUT_SIGNAL) is signal.SIG_DFL
        os._exit(0 if is_default and timer_seconds() == 0 else 1)

    assert os.waitpid(pid, 0) == (pid, 0)
    assert interruption.is_open


# The signal that ends a job


def test_a_job_is_ended_with_what_the_worker_says(interruption):
    interruption.open()

    with pytest.raises(TermException, match="SIGTERM"):
        signal.raise_signal(END_SIGNAL)


def test_a_worker_may_have_nothing_to_say(interruption):
    interruption.listen(lambda: None)
    interruption.open()

    signal.raise_signal(END_SIGNAL)

    assert interruption.is_open


@pytest.mark.parametrize("goes_back", [True, False])
def test_the_page_tells_why_a_job_is_ended(page, goes_back):
    page.end_with(signal.SIGINT, goes_back=goes_back)

    error = term_exception(page)

    assert (str(error), error.goes_back) == ("SIGINT", goes_back)


def test_a_job_is_ended_by_the_signal_itself_where_no_stop_asked_for_it(page):
    error = term_exception(page)

    assert (str(error), error.goes_back) == ("SIGUSR1", False)


def test_a_process_for_one_job_keeps_a_signal_that_comes_before_the_job(interruption):
    interruption.await_job()
    signal.raise_signal(END_SIGNAL)

    with pytest.raises(TermException, match="SIGTERM"):
        interruption.open()


def test_another_process_forgets_it(interruption):
    signal.raise_signal(END_SIGNAL)

    interruption.open()

    assert interruption.is_open
