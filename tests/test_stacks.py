from __future__ import annotations

import os
import signal
import time

from jobqueue.attention import STACKS_SIGNAL
from jobqueue.stacks import Stacks
from tests.process.conftest import wait_for


def fork(stacks, *, passes_on=False):
    """Start a process that writes its stacks when told to."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        stacks.write_when_told(passes_on=passes_on)
        be_busy(writer)
        os._exit(0)
    os.read(reader, 1)
    for end in (reader, writer):
        os.close(end)
    return pid


def be_busy(writer):
    os.write(writer, b"!")
    time.sleep(60)


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_process_writes_its_stacks_again_and_again():
    stacks = Stacks()
    pid = fork(stacks)

    for _ in range(2):
        os.kill(pid, STACKS_SIGNAL)
        text = wait_for(stacks.take)
        assert "in be_busy" in text
        assert text.count("Current thread") == 1

    end(pid)


def test_what_may_grow_is_left_for_the_next_look():
    stacks = Stacks()

    os.write(stacks.fd, b"one")
    assert stacks.take() == ""
    os.write(stacks.fd, b", two")
    assert stacks.take() == ""

    assert stacks.take() == "one, two"
    assert stacks.take() == ""


def test_a_closed_one_keeps_no_file_open():
    before = len(os.listdir("/dev/fd"))

    Stacks().close()

    assert len(os.listdir("/dev/fd")) == before
