from __future__ import annotations

import os

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
