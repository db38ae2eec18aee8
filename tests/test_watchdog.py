from __future__ import annotations

import os
import threading
import time
from functools import partial

import pytest

from jobqueue import watchdog as module
from jobqueue.slot import REPLACE
from jobqueue.watchdog import Watchdog


def watch(attention, **calls):
    """Return a watchdog that does nothing where it is not told what."""
    nothing = dict.fromkeys(("hold_if_due", "end", "abandon"), lambda: None)
    return Watchdog(attention, **{**nothing, **calls})


def test_each_look_holds_a_job_that_lasts_and_ends_one_whose_time_is_over(attention):
    looks = []
    watchdog = watch(
        attention, **{name: partial(looks.append, name) for name in ("hold_if_due", "end", "abandon")}
    )

    watchdog.look()
    attention.stop()
    watchdog.look()
    assert looks == ["hold_if_due", "hold_if_due"]

    attention.finish_by = time.monotonic()
    watchdog.look()
    assert looks[2:] == ["hold_if_due", "end"]


def test_it_notices_the_death_of_the_supervisor(attention):
    attention._supervisor = os.getpid()

    watch(attention).look()

    assert attention.is_stopping


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_looks_while_jobs_are_performed_and_only_then(attention, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    looked = threading.Event()

    def end_thread():
        looked.set()
        raise SystemExit

    watchdog = watch(attention, hold_if_due=end_thread)
    watchdog.start()
    assert not looked.is_set()

    watchdog.is_performing.set()
    watchdog.join(10)

    assert looked.is_set()


@pytest.mark.parametrize("breaks", [False, True])
def test_a_stop_that_takes_too_long_ends_the_process(attention, breaks):
    reader, writer = os.pipe()

    def abandon():
        os.write(writer, b"abandoned")
        if breaks:
            raise RuntimeError("Redis is away")

    pid = os.fork()
    if pid == 0:
        try:
            attention.stop_by = time.monotonic()
            watch(attention, abandon=abandon).look()
        finally:
            os._exit(9)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == REPLACE
    assert os.read(reader, 100) == b"abandoned"
    for end in (reader, writer):
        os.close(end)
