from __future__ import annotations

import os

import pytest

from jobqueue.childreport import ChildReport


@pytest.fixture
def report():
    report = ChildReport()
    report.begin(7)
    return report


def in_child(step):
    pid = os.fork()
    if pid == 0:
        step()
        os._exit(0)
    os.waitpid(pid, 0)


def test_nothing_is_told_at_first(report):
    assert not report.is_done(7)
    assert report.take() == b""


def test_a_child_tells_that_its_job_is_done(report):
    in_child(lambda: report.done(7))

    assert report.is_done(7)


def test_what_one_job_told_is_forgotten_when_the_next_one_begins(report):
    report.done(7)

    report.begin(7)

    assert not report.is_done(7)


@pytest.mark.parametrize("text", [b"B", b"F" + b"x" * 1_000_000], ids=len)
def test_a_child_writes_a_report_of_any_length(report, text):
    in_child(lambda: report.write(text))

    assert report.take() == text


def test_a_report_is_taken_once(report):
    report.write(b"B")

    assert (report.take(), report.take()) == (b"B", b"")


def test_a_shorter_report_holds_nothing_of_the_one_before(report):
    report.write(b"F a long story")
    report.take()
    report.write(b"B")

    assert report.take() == b"B"


def test_half_a_report_is_none(report):
    os.write(report._fd, (1000).to_bytes(8) + b"F{")

    assert report.take() == b""


def test_what_comes_after_half_a_report_is_whole(report):
    os.write(report._fd, b"\0")
    report.take()

    report.write(b"B")

    assert report.take() == b"B"


def test_the_file_is_closed_with_its_owner():
    open_before = len(os.listdir("/dev/fd"))

    ChildReport().begin(1)

    assert len(os.listdir("/dev/fd")) == open_before
