from __future__ import annotations

import signal
import time

import pytest

from jobqueue import job
from jobqueue.recovery import CrashPolicy, Overrun
from jobqueue.slot import Slot

RUN = "0123456789abcdef01"


@pytest.fixture
def sent():
    """Return the list of the signals that the worker got."""
    return []


@pytest.fixture
def slot(sent, monkeypatch):
    """Yield a slot whose worker performs the job 7."""
    slot = Slot(pid=4711)
    monkeypatch.setattr(slot, "send", sent.append)
    slot.page.run = RUN
    slot.page.lanes[0].begin(7)
    yield slot
    slot.close()


def limit(slot, *, seconds_to_kill):
    slot.page.lanes[0].limit(2.5, time.monotonic_ns() + int(seconds_to_kill * 1e9))


@pytest.mark.parametrize("seconds", [None, 60])
def test_a_worker_whose_job_has_time_left_lives(slot, sent, seconds):
    if seconds:
        limit(slot, seconds_to_kill=seconds)

    slot.kill_if_overrun()

    assert sent == []


def test_a_worker_whose_job_overran_its_timeout_is_killed_once(slot, sent, settings):
    settings.JOBQUEUE_TIMEOUT_GRACE_SECONDS = 3
    limit(slot, seconds_to_kill=0)

    slot.kill_if_overrun()
    slot.kill_if_overrun()
    slot.kill(is_blameless=True)

    assert sent == [signal.SIGKILL]
    dead = slot.dead(4711, signal.SIGKILL)
    assert (dead.suspects, dead.overruns) == ({7}, {7: Overrun(2.5, 3)})


def test_a_job_that_began_after_the_decision_to_kill_is_not_to_blame(slot):
    limit(slot, seconds_to_kill=0)
    slot.kill_if_overrun()
    slot.page.finish(slot.page.lanes[0], 7)
    slot.page.lanes[0].begin(8)

    assert not slot.dead(4711, signal.SIGKILL).suspects


@pytest.mark.parametrize("kill", [Slot.kill_if_overrun, Slot.kill_if_stuck])
def test_a_job_that_begins_while_that_is_decided_is_not_to_blame(slot, monkeypatch, kill):
    limit(slot, seconds_to_kill=0)
    slot.page.end_running(-10)
    decide = slot.kill

    def begin_another_and(**options):
        slot.page.finish(slot.page.lanes[0], 7)
        slot.page.lanes[0].begin(8)
        decide(**options)

    monkeypatch.setattr(slot, "kill", begin_another_and)
    kill(slot)

    assert not slot.suspects


def test_a_worker_that_is_killed_to_stop_in_time_is_not_to_blame(slot, sent):
    slot.kill(is_blameless=True)

    assert sent == [signal.SIGKILL]
    assert not slot.dead(4711, signal.SIGKILL).suspects


@pytest.mark.usefixtures("own_registry")
def test_the_jobs_of_a_worker_that_is_killed_in_a_stop_are_known_to_be_so(slot):
    job(name="x", retries=2)(print)
    slot.kill(is_blameless=False)

    dead = slot.dead(4711, signal.SIGKILL)

    assert dead.is_stopped
    assert dead.retry_of("x").retries == 2
    assert dead.retry_of("unknown").retries is None


@pytest.mark.parametrize("kill", [Slot.kill_if_overrun, Slot.kill_if_stuck])
def test_a_worker_that_is_killed_for_one_of_its_jobs_is_not_stopped(slot, kill):
    limit(slot, seconds_to_kill=0)
    slot.page.end_running(-10)
    kill(slot)

    assert not slot.dead(4711, signal.SIGKILL).is_stopped


@pytest.mark.usefixtures("own_registry")
def test_only_a_job_that_has_crashed_by_itself_is_tried_again(slot):
    job(name="x", on_crash="retry")(print)

    assert slot.dead(4711, signal.SIGSEGV).policy_of("x") == CrashPolicy(retries=True)

    slot.kill(is_blameless=False)
    assert slot.dead(4711, signal.SIGKILL).policy_of("x") == CrashPolicy(retries=False)
