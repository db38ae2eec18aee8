from __future__ import annotations

import os
import signal
import sys

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


def test_elsewhere_nothing_is_asked_of_the_system(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr("ctypes.CDLL")

    lifeline.die_with_parent(signal.SIGKILL)
