from __future__ import annotations

import os
import threading
import time

import pytest

from jobqueue import watchdog as module
from jobqueue.watchdog import Watchdog


def test_each_look_holds_a_job_that_lasts(attention):
    looks = []
    watchdog = Watchdog(attention, lambda: looks.append("hold"), lambda: looks.append("abandon"))

    watchdog.look()
    attention.stop()
    watchdog.look()

    assert looks == ["hold", "hold"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_looks_while_jobs_are_performed_and_only_then(attention, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    looked = threading.Event()

    def end_thread():
        looked.set()
        raise SystemExit

    watchdog = Watchdog(attention, end_thread, lambda: None)
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
            Watchdog(attention, lambda: None, abandon).look()
        finally:
            os._exit(9)

    assert os.waitpid(pid, 0) == (pid, 0)
    assert os.read(reader, 100) == b"abandoned"
    for end in (reader, writer):
        os.close(end)
