"""One ``manage.py jobworker`` from its start to its end; other modules go through its signals."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis as redis_client

from tests.process.conftest import (
    MODES,
    ROOT,
    Jobworker,
    Ledger,
    enqueue,
    own_keys,
    state,
    title,
    wait_for,
    waits,
)

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


@MODES
@pytest.mark.parametrize("name", ["use_pool", "end_program"])
def test_processes_of_a_job_end_by_its_signals(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, name: str, mode: tuple[str, ...]
) -> None:
    jobworker("--queues", "work", *mode)

    enqueue(name, 1)

    ledger.wait_for("1")


def test_a_job_that_changes_signal_handlers_spoils_no_stop(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work")
    enqueue("hear_signals", 1)
    ledger.wait_for("1")
    enqueue("begin_and_wait", 2, 0.4)
    ledger.wait_for("began 2")

    worker.signal(signal.SIGTERM)
    worker.wait()

    assert ledger.lines() == ["1", "began 2", "2"]
    assert redis.llen("resque:failed") == 0


@MODES
def test_what_a_job_prints_outlives_its_process(
    redis: redis_client.Redis, jobworker: Start, mode: tuple[str, ...]
) -> None:
    enqueue("say", "a word")

    worker = jobworker("--queues", "work", "--burst", *mode, PYTHONUNBUFFERED="")
    worker.wait()

    assert worker.log.count("a word") == 1


def test_an_idle_worker_leaves_at_once(redis: redis_client.Redis, jobworker: Start) -> None:
    worker = jobworker("--queues", "work", "--count", "2", "--interval", "30")
    wait_for(lambda: waits(redis))

    began = time.monotonic()
    worker.signal_all(signal.SIGTERM)
    worker.wait()

    assert time.monotonic() - began < 15, "half of its interval"
    assert own_keys(redis) == []


def test_burst_stops_when_no_job_is_left(redis: redis_client.Redis, jobworker: Start, ledger: Ledger) -> None:
    for number in range(30):
        enqueue("perform", number)

    worker = jobworker("--queues", "work", "--count", "2", "--burst")

    assert worker.wait() == 0
    assert sorted(map(int, ledger.lines())) == list(range(30))
    assert own_keys(redis) == []


def test_interval_0_is_burst_and_the_environment_chooses_like_resques(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    enqueue("perform", 1)
    pidfile = tmp_path / "worker.pid"

    asked = {"QUEUE": "work", "INTERVAL": "0", "COUNT": "2", "FORK_PER_JOB": "1", "VVERBOSE": "1"}
    worker = jobworker(**asked, PIDFILE=str(pidfile))

    assert worker.wait() == 0
    assert ledger.lines() == ["1"]
    assert worker.log.count("started") == 2
    assert "** [" in worker.log
    assert not pidfile.exists()


def test_a_worker_that_ruby_unregistered_registers_itself_again(
    redis: redis_client.Redis, jobworker: Start
) -> None:
    jobworker("--queues", "work", TEST_HEARTBEAT="0.2")
    (worker_id,) = wait_for(lambda: redis.smembers("resque:workers"))
    started = redis.get(b"resque:worker:%s:started" % worker_id)

    redis.srem("resque:workers", worker_id)
    redis.delete(b"resque:worker:%s:started" % worker_id)
    redis.hdel("resque:workers:heartbeat", worker_id)

    wait_for(lambda: redis.smembers("resque:workers") == {worker_id})
    assert redis.get(b"resque:worker:%s:started" % worker_id) == started
    assert redis.hexists("resque:workers:heartbeat", worker_id)


def test_process_titles_tell_what_is_done_and_are_spared_by_rubys_pruner(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work")
    wait_for(lambda: waits(redis))
    (pid,) = worker.workers()
    assert title(pid) == "jobworker (resque-3): Waiting for work"
    assert title(worker.pid) == "jobworker (resque-3): Supervising 1 for work"

    enqueue("begin_and_wait", 1, 1.0)
    ledger.wait_for("began 1")

    wait_for(lambda: "Processing work since " in title(pid))
    assert title(pid).endswith("[tests.workload.jobs.begin_and_wait]")


def test_an_unreachable_redis_is_told_in_one_sentence_and_waited_for(
    redis: redis_client.Redis, jobworker: Start
) -> None:
    worker = jobworker(
        "--queues", "work", "--shutdown-timeout", "1", REDIS_URL="redis://:secret@127.0.0.1:1/0"
    )

    wait_for(lambda: "Trying again" in worker.log)
    worker.signal(signal.SIGTERM)
    worker.wait()

    lines = [line for line in worker.log.splitlines() if "cannot be reached" in line]
    assert 1 <= len(lines) <= 2  # of the worker and the supervisor
    assert all("redis://:***@127.0.0.1:1/0" in line for line in lines)
    assert "secret" not in worker.log


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--queues", "!low"], "names no queue to look at"),
        (["--queues", "work", "--count", "0"], "--count is 0; it must be at least 1"),
        (["--queues", "work", "--interval", "-1"], "--interval is -1.0; it must be at least 0"),
    ],
)
def test_wrong_options_are_refused_with_the_reason(
    jobworker: Start, options: list[str], complaint: str
) -> None:
    worker = jobworker(*options)

    assert worker.wait() == 1
    assert complaint in worker.log


def test_code_that_changes_starts_the_worker_again(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--reload")
    enqueue("perform", 1)
    ledger.wait_for("1")
    supervisor = worker.workers()[0]

    (ROOT / "tests/workload/jobs.py").touch()
    wait_for(lambda: state(supervisor) in ("", "Z"))
    enqueue("perform", 2)
    ledger.wait_for("2")
    worker.signal_all(signal.SIGTERM)

    assert worker.wait() == 0
    assert own_keys(redis) == []
