"""What probes are told of real supervisors."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import jobhealth
from tests.process.conftest import ROOT, Jobworker, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the signs of life of one test alone."""
    return tmp_path / "health"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def probe(folder: Path, *options: str) -> tuple[int, str]:
    """Run the probe as a container's host does; return its exit status and what it says."""
    asked = [sys.executable, "-m", "jobhealth", *options]
    environ = {**os.environ, "JOBQUEUE_HEALTH_FOLDER": str(folder)}
    answer = subprocess.run(asked, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return answer.returncode, answer.stdout + answer.stderr


def is_healthy(folder: Path, *options: str) -> bool:
    return probe(folder, *options)[0] == 0


def is_hanging(folder: Path) -> bool:
    status, said = probe(folder, "--max-age", "2")
    return status == 1 and "has given no sign of life" in said


def test_a_supervisor_and_its_workers_are_seen(jobworker: Start, folder: Path) -> None:
    worker = jobworker("--queues", "work", "--count", "2", JOBQUEUE_HEALTH_FOLDER=str(folder))

    wait_for(lambda: is_healthy(folder, "--workers", "2"))

    status, said = probe(folder)
    assert (status, said.count("\n")) == (0, 1)
    assert said.startswith(f"healthy: supervisor {worker.pid} gave a sign of life")
    assert said.endswith("; 2 of 2 workers live\n")


def test_the_sign_of_a_supervisor_ends_with_it(jobworker: Start, folder: Path) -> None:
    worker = jobworker("--queues", "work", JOBQUEUE_HEALTH_FOLDER=str(folder))
    wait_for(lambda: is_healthy(folder))

    worker.signal(signal.SIGTERM)
    worker.wait()

    assert list(folder.iterdir()) == []
    assert not is_healthy(folder)


def test_a_killed_supervisor_is_missed_at_once_and_the_next_one_found(jobworker: Start, folder: Path) -> None:
    worker = jobworker("--queues", "work", JOBQUEUE_HEALTH_FOLDER=str(folder))
    wait_for(lambda: is_healthy(folder))

    worker.destroy()
    assert not is_healthy(folder)
    assert len(list(folder.iterdir())) == 1

    worker.start()
    wait_for(lambda: is_healthy(folder))
    assert [file.name for file in folder.iterdir()] == [f"supervisor-{worker.pid}"]


def test_a_supervisor_that_hangs_is_found_and_found_well_again(jobworker: Start, folder: Path) -> None:
    worker = jobworker("--queues", "work", JOBQUEUE_HEALTH_FOLDER=str(folder))
    wait_for(lambda: is_healthy(folder))

    worker.signal(signal.SIGSTOP)
    wait_for(lambda: is_hanging(folder))
    worker.signal(signal.SIGCONT)

    wait_for(lambda: not is_hanging(folder))


def test_a_supervisor_that_takes_new_code_is_alive_all_the_while(jobworker: Start, folder: Path) -> None:
    worker = jobworker("--queues", "work", JOBQUEUE_HEALTH_FOLDER=str(folder))
    wait_for(lambda: is_healthy(folder, "--workers", "1"))
    (old,) = worker.workers()
    with open(jobhealth.path(str(folder), worker.pid)) as sign:
        worker.signal(signal.SIGHUP)
        wait_for(lambda: worker.workers() and old not in worker.workers())
        wait_for(lambda: is_healthy(folder, "--workers", "1"))

        # The very file, which was never removed
        assert os.fstat(sign.fileno()).st_nlink == 1


def test_a_redis_that_is_away_makes_nobody_unhealthy(
    jobworker: Start, folder: Path, silent_port: int
) -> None:
    """Killing a supervisor would not bring Redis back."""
    away = f"redis://127.0.0.1:{silent_port}/0"
    worker = jobworker("--queues", "work", JOBQUEUE_HEALTH_FOLDER=str(folder), REDIS_URL=away)
    wait_for(lambda: is_healthy(folder))
    wait_for(lambda: "gives no answer in time" in worker.log)
    file = jobhealth.path(str(folder), worker.pid)
    at_first = os.stat(file).st_mtime

    wait_for(lambda: os.stat(file).st_mtime > at_first)
    assert is_healthy(folder)


def test_a_supervisor_without_a_place_for_its_sign_works_on(jobworker: Start, folder: Path) -> None:
    folder.write_text("no folder")
    worker = jobworker("--queues", "work", JOBQUEUE_HEALTH_FOLDER=str(folder))

    wait_for(worker.workers)
    wait_for(lambda: "jobhealth cannot tell that this supervisor lives" in worker.log)
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
