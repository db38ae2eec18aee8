from __future__ import annotations

import os
import signal
import time

import pytest

from jobqueue.forksignals import hear, signals_waiting
from jobqueue.stopping import STOP_SIGNALS


def test_signals_wait_while_a_process_is_made(attention):
    with signals_waiting():
        signal.raise_signal(signal.SIGTERM)
        assert not attention.is_stopping

    assert attention.is_stopping


def test_what_waited_comes_when_a_process_is_ready(attention):
    with signals_waiting():
        signal.raise_signal(signal.SIGTERM)
        hear()

        assert attention.is_stopping


@pytest.mark.usefixtures("attention")
@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_process_that_a_job_forks_ends_by_a_signal(number):
    pid = os.fork()
    if pid == 0:
        time.sleep(5)
        os._exit(0)

    os.kill(pid, number)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -number
