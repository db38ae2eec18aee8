"""Database connections of a long-lived worker, on a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from tests.process.conftest import Jobworker, Ledger, enqueue, wait_for

pytestmark = pytest.mark.process

HOW_TO_GET = "PostgreSQL's server is not on this machine: apt-get install postgresql"


def find_postgres() -> Path | None:
    """Return the folder of PostgreSQL's programs."""
    found = shutil.which("pg_ctl")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return places[-1] if places else None


def as_its_user() -> list[str]:
    """Return what makes a command run as somebody else than root, as PostgreSQL demands."""
    if os.geteuid():
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Start a server of its own and yield the folder of its socket."""
    programs = find_postgres()
    if programs is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_GET)
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-pg-"))
    if not os.geteuid():
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    control = [*as_its_user(), str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w", "-s"]
    subprocess.run([*control, "-o", "-A trust -U postgres -N", "initdb"], check=True, cwd=folder)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    subprocess.run([*control, "-l", str(folder / "log"), "-o", options, "start"], check=True, cwd=folder)
    yield str(folder)
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=folder)
    shutil.rmtree(folder)


@pytest.fixture
def worker(jobworker: Callable[..., Jobworker], postgres: str) -> Jobworker:
    return jobworker("--queues", "work", TEST_POSTGRES=postgres)


def test_a_connection_that_the_server_closed_between_two_jobs_costs_no_job(
    redis: redis_client.Redis, worker: Jobworker, ledger: Ledger, postgres: str
) -> None:
    enqueue("ask_database")
    wait_for(ledger.lines)
    enqueue("ask_database")
    wait_for(lambda: len(ledger.lines()) == 2)
    first, second = ledger.lines()
    assert first == second, "the connection is kept between jobs"

    with psycopg.connect(host=postgres, user="postgres", dbname="postgres") as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [int(first)])
    enqueue("ask_database")
    wait_for(lambda: len(ledger.lines()) == 3)

    assert ledger.lines()[2] != first
    assert redis.llen("resque:failed") == 0


def test_a_transaction_that_a_job_leaves_open_does_not_reach_the_next(
    redis: redis_client.Redis, worker: Jobworker, ledger: Ledger
) -> None:
    enqueue("leave_transaction_open")
    enqueue("ask_database")
    wait_for(lambda: redis.get("resque:stat:processed") == b"2")

    assert len(ledger.lines()) == 1
    (entry,) = redis.lrange("resque:failed", 0, -1)
    assert b"left a transaction open on the database 'default'" in entry
