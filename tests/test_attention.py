from __future__ import annotations

import os
import select
import signal
import time

import pytest

from jobqueue import attention as module
from jobqueue.attention import STOP_SIGNALS, Attention


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
    assert attention.stop_by == pytest.approx(time.monotonic() + 25.0, abs=1.0)


def test_signals_within_a_second_are_one(attention):
    for number in STOP_SIGNALS:
        os.kill(os.getpid(), number)

    assert attention.stops == 1


def test_a_later_signal_counts_and_wins_no_time(attention, monkeypatch):
    attention.stop()
    stop_by = attention.stop_by
    monkeypatch.setattr(module, "SAME_SECONDS", -1.0)

    attention.stop()

    assert (attention.stops, attention.stop_by) == (2, stop_by)


def test_a_stop_is_overdue_when_its_time_is_over(attention):
    attention.stop()
    attention.stop_by = time.monotonic()

    assert attention.is_overdue


def test_a_sleep_ends_with_a_signal_which_is_forgotten_then(attention):
    os.kill(os.getpid(), signal.SIGTERM)

    attention.sleep(60)

    assert not is_readable(attention.fd)
    assert attention.is_stopping


def test_a_sleep_ends_when_there_is_something_to_read(attention):
    reader, writer = os.pipe()
    os.write(writer, b"!")

    attention.sleep(60, reader)

    os.close(reader)
    os.close(writer)


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


@pytest.mark.usefixtures("attention")
@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_process_that_a_job_forks_ends_by_a_signal(number):
    pid = os.fork()
    if pid == 0:
        time.sleep(5)
        os._exit(0)

    os.kill(pid, number)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -number


def test_signals_are_given_back():
    before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
    attention = Attention(1.0)

    attention.close()

    assert {signal.getsignal(number) for number in before} == {signal.SIG_DFL}
    assert signal.set_wakeup_fd(-1) == -1
    for number, handler in before.items():
        signal.signal(number, handler)
