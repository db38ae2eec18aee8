from __future__ import annotations

import os
import select
import signal
import time

import pytest

from jobqueue import attention as module
from jobqueue.attention import HEARD, Attention
from jobqueue.interruption import END_SIGNAL
from jobqueue.stopping import STOP_SIGNALS, StopPlan, StopPlans


def is_readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def test_nothing_has_happened_at_first(attention):
    assert (attention.stops, attention.is_stopping, attention.is_overdue) == (0, False, False)
    assert not is_readable(attention.fd)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_to_stop_is_noted_and_readable(attention, number):
    os.kill(os.getpid(), number)

    assert attention.is_stopping
    assert is_readable(attention.fd)
    assert attention.stop_signal == number
    assert attention.finish_by == pytest.approx(time.monotonic() + 25.0, abs=1.0)
    assert attention.stop_by == pytest.approx(attention.finish_by + 4.0)


def test_signals_within_a_second_are_one(attention):
    for number in STOP_SIGNALS:
        os.kill(os.getpid(), number)

    assert attention.stops == 1


def test_a_later_signal_counts_and_wants_the_end_at_once(attention, monkeypatch):
    attention.stop(signal.SIGQUIT)
    monkeypatch.setattr(module, "SAME_SECONDS", -1.0)

    attention.stop(signal.SIGTERM)

    assert (attention.stops, attention.stop_signal) == (2, signal.SIGQUIT)
    assert attention.is_overdue


def test_what_a_supervisor_passes_on_late_is_no_second_signal(attention, monkeypatch):
    attention._is_led = lambda: True
    monkeypatch.setattr(module, "SAME_SECONDS", -1.0)

    attention.stop()
    attention.stop()

    assert attention.stops == 1


def test_a_stop_has_two_times(attention):
    attention.stop()
    assert not attention.is_ending

    attention.finish_by = time.monotonic()
    assert attention.is_ending
    assert not attention.is_overdue

    attention.stop_by = time.monotonic()
    assert attention.is_overdue


def test_each_signal_has_a_plan_of_its_own(attention):
    plans = StopPlans(term_child=StopPlan(finish_seconds=0.0, cleanup_seconds=1.0, fails=True))
    attention._plans = plans

    attention.stop(signal.SIGTERM)

    assert attention.plan == plans.term_child
    assert attention.is_ending


# The supervisor's death


def test_with_a_supervisor_nothing_is_said(orphan):
    orphan._supervisor = os.getppid()

    orphan.look_for_supervisor()

    assert not orphan.is_stopping


@pytest.fixture
def orphan(attention):
    """Yield the attention of a worker whose supervisor has died."""
    attention._supervisor = os.getpid()
    return attention


def test_the_death_of_the_supervisor_is_a_stop_in_the_time_before_others_take_the_worker_for_dead(orphan):
    orphan.look_for_supervisor()

    assert orphan.stops == 1
    assert orphan.finish_by == pytest.approx(time.monotonic() + 20.0, abs=1.0)  # 30 - 5 - 4 - 1
    assert orphan.stop_by == pytest.approx(time.monotonic() + 24.0, abs=1.0)


def test_the_signal_of_that_death_is_the_same_stop(orphan):
    os.kill(os.getpid(), signal.SIGTERM)

    assert orphan.stops == 1
    assert orphan.plan == StopPlans().for_orphans


@pytest.mark.parametrize(("seconds", "left"), [(float("inf"), 24.0), (3.0, 3.0)])
def test_the_death_of_the_supervisor_shortens_a_stop_and_lengthens_none(orphan, seconds, left):
    orphan._begin_stop(signal.SIGQUIT, StopPlan(finish_seconds=seconds, cleanup_seconds=0.0))

    orphan.look_for_supervisor()

    assert orphan.stop_by == pytest.approx(time.monotonic() + left, abs=1.0)


# Pausing, and what is passed on

PAUSES = (signal.SIGUSR2, signal.SIGCONT)


def test_a_pause_holds_until_it_is_told_to_continue(attention):
    assert attention.is_free

    os.kill(os.getpid(), signal.SIGUSR2)
    assert (attention.is_paused, attention.is_free) == (True, False)

    os.kill(os.getpid(), signal.SIGCONT)
    assert (attention.is_paused, attention.is_free) == (False, True)


def test_to_continue_does_not_undo_a_stop(attention):
    attention.stop()

    os.kill(os.getpid(), signal.SIGCONT)

    assert not attention.is_free


def test_news_are_told_once_in_their_order(attention):
    attention.pass_on()
    for number in (signal.SIGCONT, END_SIGNAL, END_SIGNAL, signal.SIGTERM, signal.SIGCONT):
        os.kill(os.getpid(), number)

    assert attention.news() == [END_SIGNAL, signal.SIGTERM, signal.SIGCONT]
    assert attention.news() == []


@pytest.mark.parametrize("numbers", [PAUSES, PAUSES[::-1]])
def test_of_a_pause_and_its_end_only_the_last_is_told(attention, numbers):
    """Two signals that are passed on together may come in any order, and a pause would last for ever."""
    for number in numbers:
        os.kill(os.getpid(), number)

    assert attention.news() == [numbers[-1]]


def test_a_signal_that_comes_twice_within_a_second_counts_once(attention, monkeypatch):
    assert attention.counts(END_SIGNAL)
    assert not attention.counts(END_SIGNAL)
    assert attention.counts(signal.SIGHUP)

    monkeypatch.setattr(module, "SAME_SECONDS", -1.0)
    assert attention.counts(END_SIGNAL)


def test_a_hangup_asks_for_new_code(attention):
    os.kill(os.getpid(), signal.SIGHUP)

    assert attention.news() == [signal.SIGHUP]
    assert not attention.is_stopping


def test_the_hangup_of_a_closed_terminal_is_a_stop(attention, monkeypatch):
    attention._has_terminal = True
    monkeypatch.setattr(os, "isatty", lambda fd: False)

    os.kill(os.getpid(), signal.SIGHUP)

    assert attention.is_stopping
    assert signal.SIGHUP not in attention.news()


def test_a_sleep_ends_with_a_signal_which_is_forgotten_then(attention):
    os.kill(os.getpid(), signal.SIGTERM)

    attention.sleep(60)

    assert not is_readable(attention.fd)
    assert attention.is_stopping


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.001])
def test_a_sleep_ends_when_time_is_over(attention, seconds):
    attention.sleep(seconds)

    assert not attention.is_stopping


def test_the_end_of_a_child_ends_a_sleep(attention):
    pid = os.fork()
    if pid == 0:
        os._exit(0)

    attention.sleep(60)

    assert os.waitpid(pid, 0) == (pid, 0)
    assert not attention.is_stopping


def test_signals_without_end_are_forgotten_together(attention):
    for _ in range(100_000):
        try:
            os.write(attention._write_fd, b"!" * 4096)
        except BlockingIOError:
            break

    os.kill(os.getpid(), signal.SIGTERM)
    attention.drain()

    assert not is_readable(attention.fd)
    assert attention.is_stopping


def test_signals_are_heard_again_after_a_job_has_changed_who_hears_them(attention):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)

    attention.listen()
    os.kill(os.getpid(), signal.SIGTERM)

    assert attention.is_stopping
    assert is_readable(attention.fd)


def test_signals_are_given_back():
    before = {number: signal.getsignal(number) for number in HEARD}
    attention = Attention(StopPlans())

    attention.close()

    assert {signal.getsignal(number) for number in before} == {signal.SIG_DFL}
    assert signal.set_wakeup_fd(-1) == -1
    for number, handler in before.items():
        signal.signal(number, handler)
