"""Ending a job from another thread, which may come at any moment of it."""

from __future__ import annotations

import logging
import sys
import threading
import time
from math import inf

import pytest

from jobqueue.exceptions import JobTimeout, TermException
from jobqueue.laneinterruption import TaskInterruption, ThreadInterruption


@pytest.fixture
def lane(page):
    return page.lanes[0]


@pytest.fixture
def way(lane):
    return ThreadInterruption(lane)


@pytest.fixture
def task_way(lane):
    return TaskInterruption(lane)


def wait_in_steps(seconds=10.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.001)


def end_soon(way, error):
    """End the job from another thread, again and again until it is there to be ended."""
    timer = threading.Timer(0.02, way.end, [error])
    timer.start()
    return timer


def test_an_exception_rises_in_the_job_with_all_that_it_says(way):
    way.open()
    end_soon(way, TermException("SIGTERM", goes_back=True))

    with pytest.raises(TermException) as caught:
        wait_in_steps()
    way.close()

    assert (str(caught.value), caught.value.goes_back) == ("SIGTERM", True)
    assert type(caught.value).__qualname__ == "TermException"
    assert way.lift()


def test_it_rises_once(way):
    way.open()
    end_soon(way, TermException("SIGTERM"))
    with pytest.raises(TermException):
        wait_in_steps()

    way.end(TermException("SIGTERM"))
    wait_in_steps(0.01)
    way.close()


def test_nothing_rises_while_a_thread_takes_the_lock_of_a_log(way):
    """It would stay locked, and every other thread that logs would wait for ever."""
    handler, raised = logging.Handler(), []

    def run():
        way.open()
        try:
            handler.acquire()
            handler.release()
            wait_in_steps()
        except TermException as error:
            raised.append(error)
        way.close()

    thread = threading.Thread(target=run)
    with handler.lock:
        thread.start()
        while sys._current_frames()[thread.ident].f_code.co_name != "acquire":
            time.sleep(0.001)
        way.end(TermException("SIGTERM"))
    time.sleep(0.01)
    while thread.is_alive():
        way.end(TermException("SIGTERM"))
        time.sleep(0.001)

    assert len(raised) == 1
    assert handler.lock.acquire(timeout=1.0)


def test_nothing_rises_after_the_end(way):
    way.open()
    way.close()

    way.end(TermException("SIGTERM"))
    wait_in_steps(0.01)

    assert not way.lift()


def test_what_is_sent_while_the_job_ends_rises_no_more(way):
    way.open()
    stretch = way._stretch
    stretch.flag.clear()

    def send():
        way._raise(TermException("SIGTERM"))
        stretch.is_sent = True

    threading.Timer(0.02, send).start()

    way.close()
    wait_in_steps(0.01)


def test_it_is_known_to_rise_before_it_does(way, monkeypatch):
    known = []
    monkeypatch.setattr(way, "_raise", lambda error: known.append(way._stretch.has_risen))
    way.open()

    way.end(TermException("SIGTERM"))

    assert known == [True]


def test_a_job_with_time_left_goes_on(way, lane):
    way.open(60)
    assert 60 < lane.seconds_to_kill < 120

    way.end_if_overrun()
    way.close()

    assert not way.lift()
    assert lane.seconds_to_kill == inf


def test_a_job_whose_time_is_over_is_told(way):
    way.open(0.0)
    threading.Timer(0.02, way.end_if_overrun).start()

    with pytest.raises(JobTimeout, match=r"longer than its timeout of 0 s"):
        wait_in_steps()
    way.close()
    assert way.lift()


def test_a_coroutine_is_sent_what_would_rise(task_way):
    sent = []
    task_way.through(sent.append)
    task_way.open()

    task_way.end(TermException("SIGTERM", goes_back=True))
    task_way.close()

    assert [(str(error), error.goes_back) for error in sent] == [("SIGTERM", True)]


def test_a_coroutine_that_is_not_there_yet_is_sent_it_later(task_way):
    sent = []
    task_way.open()
    task_way.end(TermException("SIGTERM"))

    task_way.through(sent.append)

    assert [str(error) for error in sent] == ["SIGTERM"]


def test_what_came_too_late_is_sent_to_no_other_coroutine(task_way):
    sent = []
    task_way.open()
    task_way.end(TermException("SIGTERM"))
    task_way.close()
    task_way.through(None)

    task_way.through(sent.append)

    assert sent == []


def test_jobs_that_are_ended_together_get_an_exception_each(lane):
    error, sent = TermException("SIGTERM"), []
    for _ in range(2):
        way = TaskInterruption(lane)
        way.through(sent.append)
        way.open()
        way.end(error)

    assert len({id(each) for each in (error, *sent)}) == 3
