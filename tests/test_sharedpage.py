from __future__ import annotations

import os
from math import inf

import pytest

from jobqueue.batchsize import MOST
from jobqueue.sharedpage import SharedPage


def test_a_new_page_tells_of_nothing():
    page = SharedPage()

    assert (page.run, page.running, page.finished) == ("", set(), set())


def test_a_page_follows_its_jobs():
    page = SharedPage()
    lane = page.lanes[0]

    lane.begin(7)
    page.finish(lane, 7)
    lane.begin(8)

    assert (page.running, page.finished) == ({8}, {7})


def test_a_failure_is_neither_running_nor_finished():
    page = SharedPage()
    page.lanes[0].begin(7)

    page.lanes[0].clear()

    assert (page.running, page.finished) == (set(), set())


def test_lanes_end_in_any_order():
    page = SharedPage(lanes=3)
    for token, lane in enumerate(page.lanes, start=7):
        lane.begin(token)

    page.finish(page.lanes[2], 9)
    page.finish(page.lanes[0], 7)
    page.lanes[0].begin(10)

    assert (page.running, page.finished) == ({8, 10}, {7, 9})
    page.forget_finished()
    assert (page.running, page.finished) == ({8, 10}, set())


def test_a_page_has_room_for_all_that_may_have_ended_before_it_is_settled():
    page = SharedPage(lanes=50)

    for token in range(1, MOST + 51):
        page.finish(page.lanes[token % 50], token)

    assert page.finished == set(range(1, MOST + 51))
    assert SharedPage(fd=os.dup(page.fd)).finished == page.finished


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
        page.lanes[0].begin(2**40)
        os._exit(0)
    os.waitpid(pid, 0)

    assert (page.run, page.running) == ("abc", {2**40})


def test_a_page_is_read_again_through_its_file():
    page = SharedPage()
    page.run = "abc"
    page.lanes[0].begin(7)
    page.be_ready()

    again = SharedPage(fd=os.dup(page.fd))
    again.retire()

    assert (again.run, again.running, again.is_ready) == ("abc", {7}, True)
    assert page.retires


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
    lane = page.lanes[0]
    assert lane.kill_at == 0

    lane.limit(2.5, 10_000_000_000)
    assert (lane.timeout_seconds, lane.kill_at) == (2.5, 10_000_000_000)

    lane.lift_limit()
    assert lane.kill_at == 0


def test_a_job_that_is_told_to_end_has_its_time_and_no_other_job():
    page = SharedPage()
    page.lanes[0].begin(7)
    assert page.seconds_to_end == inf

    page.end_running(5.0)
    assert 4.0 < page.seconds_to_end <= 5.0
    page.lanes[0].begin(8)
    assert page.seconds_to_end == inf

    page.end_running(5.0)
    page.run = "another, whose tokens begin anew"
    assert page.seconds_to_end == inf


def test_nothing_has_to_end_where_nothing_runs():
    page = SharedPage()

    page.end_running(5.0)

    assert page.seconds_to_end == inf
