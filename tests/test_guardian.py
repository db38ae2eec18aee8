from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from jobqueue import guardian as module
from jobqueue.guardian import Guardian
from tests.process.conftest import state, title, wait_for

Guarded = subprocess.Popen[bytes]


@pytest.fixture
def worker() -> Iterator[Guarded]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


@pytest.fixture
def guardian() -> Iterator[Guardian]:
    guardian = Guardian(0.1)
    yield guardian
    guardian.dismiss()


def test_it_shows_what_it_is_from_its_first_moment(guardian: Guardian) -> None:
    assert guardian.is_missing()
    guardian.start([])

    pid, _ = guardian.handle or (0, 0)

    assert not guardian.is_missing()
    assert title(pid) == f"jobworker (resque-3): Guarding the workers of {os.getpid()}"
    assert "Guarding" not in title(os.getpid())


def test_what_it_knew_when_it_began_is_killed_after_the_supervisors_death(
    guardian: Guardian, worker: Guarded
) -> None:
    guardian.start([worker.pid])

    guardian.forget()

    assert worker.wait(10) == -signal.SIGKILL


def test_it_knows_them_even_if_the_supervisor_dies_right_after_its_fork(
    guardian: Guardian, worker: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fork() -> int:
        if pid := original():
            # As if it had died: it comes to nothing more
            forked.append(pid)
            raise InterruptedError
        return 0

    original, forked = os.fork, list[int]()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", fork)
        guardian.start([worker.pid])

    assert worker.wait(10) == -signal.SIGKILL
    os.waitpid(forked[0], 0)


def test_what_it_was_told_of_later_is_killed_too(guardian: Guardian, worker: Guarded) -> None:
    guardian.start([])
    guardian.guard(worker.pid)

    guardian.forget()

    assert worker.wait(10) == -signal.SIGKILL


def test_it_leaves_when_there_is_nothing_to_wait_for(worker: Guarded) -> None:
    guardian = Guardian(600.0)
    guardian.start([worker.pid])
    pid, _ = guardian.handle or (0, 0)
    worker.kill()
    worker.wait()

    guardian.forget()

    wait_for(lambda: state(pid) == "Z")
    guardian.dismiss()


def test_the_workers_live_when_it_is_dismissed(guardian: Guardian, worker: Guarded) -> None:
    guardian.start([worker.pid])
    pid, _ = guardian.handle or (0, 0)

    guardian.dismiss()

    assert state(pid) == ""
    assert worker.poll() is None
    assert guardian.handle is None


def test_one_that_died_is_missing(guardian: Guardian, caplog: pytest.LogCaptureFixture) -> None:
    guardian.start([])
    pid, _ = guardian.handle or (0, 0)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: state(pid) == "Z")

    assert guardian.is_missing()
    assert f"the guardian of the workers, process {pid}, has died" in caplog.text


def test_a_worker_that_has_ended_and_a_guardian_that_has_died_raise_nothing(
    guardian: Guardian, worker: Guarded
) -> None:
    guardian.guard(worker.pid)
    guardian.start([])
    pid, _ = guardian.handle or (0, 0)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: state(pid) == "Z")
    guardian.guard(worker.pid)
    worker.kill()
    worker.wait()

    guardian.guard(worker.pid)


def test_one_that_cannot_be_started_is_tried_again_after_a_while(
    guardian: Guardian, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fork() -> int:
        raise BlockingIOError("no process to spare")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", fork)
        guardian.start([])
    assert "no guardian of the workers can be started: no process to spare" in caplog.text
    assert not guardian.is_missing()

    monkeypatch.setattr(module.time, "monotonic", lambda: float("inf"))
    assert guardian.is_missing()


def test_where_processes_cannot_be_named_safely_there_is_none(
    guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAN_GUARD", False)

    assert not guardian.is_missing()
