"""What a supervisor does about its scheduler; the process itself is tested in ``process``."""

from __future__ import annotations

import os
import signal
import time

import pytest

from jobqueue.guardian import Guardian
from jobqueue.schedulerprocess import SchedulerProcess
from jobqueue.stopping import StopPlans


@pytest.fixture
def scheduler(monkeypatch):
    """A scheduler's place, where children end or wait as ``ways`` says."""
    scheduler = SchedulerProcess(StopPlans(), is_wanted=True)
    scheduler.ways = []

    def fork(heard, guardian):
        way = scheduler.ways.pop(0)
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            while way == "waits":
                time.sleep(60)
            os._exit(1)
        return pid

    monkeypatch.setattr(scheduler, "_fork", fork)
    yield scheduler
    scheduler.dismiss()


def keep(scheduler, attention):
    forks = []
    scheduler.keep(attention, Guardian(1.0), before_fork=lambda: forks.append(1))
    return len(forks)


def ended(pid):
    """Wait until a child has ended, which stays to be reaped."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_one_is_started_and_kept(scheduler, attention):
    scheduler.ways = ["waits"]

    assert keep(scheduler, attention) == 1
    assert keep(scheduler, attention) == 0

    assert scheduler._pid


def test_none_is_started_that_nobody_wants(attention):
    scheduler = SchedulerProcess(StopPlans(), is_wanted=False)

    assert keep(scheduler, attention) == 0
    assert not scheduler._pid


def test_one_that_dies_soon_is_started_again_after_a_pause(scheduler, attention, caplog):
    scheduler.ways = ["ends", "waits"]
    keep(scheduler, attention)
    pid = scheduler._pid
    ended(pid)

    assert keep(scheduler, attention) == 0
    assert f"scheduler {pid} died: exit status 1" in caplog.text

    scheduler._start_at = time.monotonic()
    assert keep(scheduler, attention) == 1
    assert scheduler._pid not in (0, pid)


def test_however_often_it_dies_it_is_away_for_five_seconds_at_most(scheduler, attention):
    scheduler.ways = ["ends"] * 12
    for _ in range(12):
        keep(scheduler, attention)
        ended(scheduler._pid)
        keep(scheduler, attention)
        assert scheduler._start_at <= time.monotonic() + 5
        scheduler._start_at = time.monotonic()


def test_one_that_has_lived_for_a_while_is_replaced_at_once(scheduler, attention):
    scheduler.ways = ["ends", "waits"]
    keep(scheduler, attention)
    ended(scheduler._pid)
    scheduler._started_at -= 60

    assert keep(scheduler, attention) == 1


def test_a_machine_without_a_process_to_spare_is_told_and_asked_again_later(
    scheduler, attention, monkeypatch, caplog
):
    def refuse(heard, guardian):
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(scheduler, "_fork", refuse)

    assert keep(scheduler, attention) == 1
    assert keep(scheduler, attention) == 0
    assert "no scheduler can be started" in caplog.text
    assert not scheduler._pid


def test_it_is_told_to_leave_when_its_supervisor_stops_and_no_other_comes(scheduler, attention):
    scheduler.ways = ["waits", "waits"]
    keep(scheduler, attention)
    attention.stop()

    for _ in range(2):
        assert keep(scheduler, attention) == 0

    assert ended(scheduler._pid).si_status == signal.SIGTERM
    scheduler.dismiss()
    assert not scheduler._pid
