from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from itertools import chain, repeat

import pytest

from jobqueue import lifeline


def test_a_process_with_its_parent_is_no_orphan():
    assert not lifeline.is_orphan(os.getppid())
    assert lifeline.is_orphan(os.getpid())


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_dies_with_its_parent():
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        _be_parent(writer)
    os.close(writer)

    os.waitpid(parent, 0)

    # The end of the file: neither of them has the pipe open any more
    assert os.read(reader, 100) == b"ready"
    assert os.read(reader, 100) == b""
    os.close(reader)


def _be_parent(writer: int) -> None:
    """Have a child that waits without end, and die when it is ready."""
    ready, tell = os.pipe()
    try:
        if os.fork() == 0:
            lifeline.die_with_parent(signal.SIGKILL)
            os.write(writer, b"ready")
            os.write(tell, b"!")
            signal.pause()
        os.read(ready, 1)
    finally:
        os._exit(0)


def test_elsewhere_a_thread_looks_for_the_parent(monkeypatch):
    monkeypatch.setattr(lifeline, "_prctl", None)
    monkeypatch.delattr("ctypes.CDLL")
    monkeypatch.setattr(lifeline, "LOOK_SECONDS", 0.0)
    answers = chain([os.getppid()], repeat(os.getppid() + 1))
    real = os.getppid

    def getppid() -> int:
        """Let the parent die between two looks of the thread; others may look as well."""
        return next(answers) if threading.current_thread().name == "jobqueue-lifeline" else real()

    monkeypatch.setattr(os, "getppid", getppid)
    sent = queue.Queue()
    monkeypatch.setattr(os, "kill", lambda *signal: sent.put(signal))

    lifeline.die_with_parent(signal.SIGTERM)

    assert sent.get(timeout=10) == (os.getpid(), signal.SIGTERM)
