from __future__ import annotations

import os
from math import inf

import pytest

from jobqueue.sharedpage import SharedPage


def test_a_new_page_tells_of_nothing():
    page = SharedPage()

    assert (page.run, page.running, list(page.finished)) == ("", 0, [])


def test_a_page_follows_a_batch():
    page = SharedPage()
    page.begin_batch(7)

    page.begin(7)
    page.finish(7)
    page.begin(8)

    assert (page.running, list(page.finished)) == (8, [7])


def test_a_failure_is_neither_running_nor_finished():
    page = SharedPage()
    page.begin_batch(7)
    page.begin(7)

    page.clear()

    assert (page.running, list(page.finished)) == (0, [])


def test_a_new_batch_forgets_what_the_last_one_finished():
    page = SharedPage()
    page.begin_batch(1)
    page.finish(1)

    page.begin_batch(2)

    assert list(page.finished) == []


def test_a_shorter_name_leaves_nothing_of_a_longer_one():
    page = SharedPage()

    for name in ("0123456789abcdef01", "ab", ""):
        page.run = name
        assert page.run == name


def test_the_parent_reads_what_a_child_wrote_before_it_died():
    page = SharedPage()

    pid = os.fork()
    if pid == 0:
        page.run = "abc"
        page.begin(2**40)
        os._exit(0)
    os.waitpid(pid, 0)

    assert (page.run, page.running) == ("abc", 2**40)


def test_a_page_is_read_again_through_its_file():
    page = SharedPage()
    page.run = "abc"
    page.begin(7)
    page.be_ready()

    again = SharedPage(os.dup(page.fd))
    again.retire()

    assert (again.run, again.running, again.is_ready) == ("abc", 7, True)
    assert page.retires


def test_a_page_of_older_code_which_was_shorter_can_be_read():
    page = SharedPage()
    os.truncate(page.fd, 64)

    assert SharedPage(os.dup(page.fd)).retires is False


@pytest.mark.parametrize("goes_back", [True, False])
def test_a_page_tells_why_the_running_job_ends(goes_back):
    page = SharedPage()
    assert page.ends_with == (0, False)

    page.end_with(15, goes_back=goes_back)

    assert page.ends_with == (15, goes_back)


def test_a_closed_page_keeps_no_file_open():
    before = len(os.listdir("/dev/fd"))

    page = SharedPage()
    page.close()
    del page

    assert len(os.listdir("/dev/fd")) == before


def test_a_limit_tells_when_the_process_is_to_be_killed_until_it_is_lifted(page):
    assert page.kill_at == 0

    page.limit(2.5, 10_000_000_000)
    assert (page.timeout_seconds, page.kill_at) == (2.5, 10_000_000_000)

    page.lift_limit()
    assert page.kill_at == 0


def test_a_job_that_is_told_to_end_has_its_time_and_no_other_job():
    page = SharedPage()
    page.begin(7)
    assert page.seconds_to_end == inf

    page.end_running(5.0)
    assert 4.0 < page.seconds_to_end <= 5.0
    page.begin(8)
    assert page.seconds_to_end == inf

    page.end_running(5.0)
    page.run = "another, whose tokens begin anew"
    assert page.seconds_to_end == inf


def test_nothing_has_to_end_where_nothing_runs():
    page = SharedPage()

    page.end_running(5.0)

    assert page.seconds_to_end == inf
