"""HUP: new code is taken without a gap, and nothing that runs is interrupted."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import redis as redis_client

from tests.process.conftest import (
    MODES,
    Jobworker,
    Ledger,
    enqueue,
    members,
    own_keys,
    title,
    wait_for,
)

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


def renew(worker: Jobworker) -> None:
    """Send HUP and wait until only workers of the new program are there."""
    before, old = renewals(worker), worker.workers()
    worker.signal(signal.SIGHUP)
    wait_for(lambda: renewals(worker) > before)
    wait_for(lambda: worker.workers() and not {*worker.workers()} & {*old})


def renewals(worker: Jobworker) -> int:
    return worker.log.count("starting anew")


@MODES
def test_a_running_job_ends_in_its_old_worker_and_new_ones_go_on_beside_it(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0", "--term-timeout", "0", *mode)
    enqueue("begin_and_wait_for", 1, "go on")
    ledger.wait_for("began 1")
    (old,) = worker.workers()

    worker.signal(signal.SIGHUP)
    enqueue("perform", 2)
    ledger.wait_for("2")
    assert old in worker.workers()
    assert renewals(worker) == 1
    ledger.tell("go on")

    ledger.wait_for("1")
    wait_for(lambda: old not in worker.workers())
    assert "died" not in worker.log
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert redis.llen("resque:failed") == 0
    assert redis.get("resque:stat:processed") == b"2"
    assert own_keys(redis) == []


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a directory ``current``, a link to one of two versions of a site."""
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "version").write_text(version)
    current = tmp_path / "current"
    current.symlink_to("one")
    return current


def deploy(site: Path, version: str) -> None:
    site.unlink()
    site.symlink_to(version)


def test_new_code_is_taken_where_the_link_leads_now(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, site: Path
) -> None:
    worker = jobworker("--queues", "work", cwd=site)
    enqueue("tell_version")
    ledger.wait_for("version one")
    pid = worker.pid

    deploy(site, "two")
    renew(worker)
    enqueue("tell_version")

    ledger.wait_for("version two")
    assert worker.process.poll() is None and worker.pid == pid


def test_code_that_does_not_start_changes_nothing(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, site: Path
) -> None:
    worker = jobworker("--queues", "work", cwd=site)
    enqueue("tell_version")
    ledger.wait_for("version one")
    before = worker.workers()

    (site.parent / "two" / "version").write_text("broken")
    deploy(site, "two")
    worker.signal(signal.SIGHUP)

    wait_for(lambda: "the new code does not start, so the old one goes on: exit status 1" in worker.log)
    assert "RuntimeError: this version is broken" in worker.log
    enqueue("tell_version")
    wait_for(lambda: ledger.lines() == ["version one"] * 2)
    assert worker.workers() == before


@pytest.mark.parametrize("target", ["supervisor twice", "group"])
def test_signals_that_come_together_are_one_renewal(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, target: str
) -> None:
    worker = jobworker("--queues", "work", "--count", "2")
    worker.wait_until_idle(workers=2)
    old = worker.workers()

    if target == "group":
        worker.signal_all(signal.SIGHUP)
    else:
        worker.signal(signal.SIGHUP)
        worker.signal(signal.SIGHUP)
    wait_for(lambda: len(worker.workers()) == 2 and not {*worker.workers()} & {*old})

    enqueue("perform", 1)
    ledger.wait_for("1")
    assert renewals(worker) == 1
    wait_for(lambda: len(members(worker.pid)) == 4)  # with the supervisor and the guardian
    assert redis.scard("resque:workers") == 2


@MODES
def test_a_worker_of_old_code_is_looked_after(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", *mode, TEST_HEARTBEAT="0.2")
    enqueue("begin_and_wait", 1, 600)
    ledger.wait_for("began 1")
    (old,) = worker.workers()
    ((run, _),) = redis.zrange("resque:runs", 0, -1, withscores=True)
    worker.signal(signal.SIGHUP)
    enqueue("perform", 2)
    ledger.wait_for("2")

    before = redis.zscore("resque:runs", run)
    wait_for(lambda: redis.zscore("resque:runs", run) > before)
    worker.signal_one(old, signal.SIGKILL)

    wait_for(lambda: redis.llen("resque:failed") == 1)
    failure = json.loads(redis.lindex("resque:failed", 0))
    assert f":{old}:work" in failure["worker"]
    wait_for(lambda: redis.zscore("resque:runs", run) is None)
    wait_for(lambda: len(worker.workers()) == 1)


@MODES
def test_a_stop_reaches_workers_of_old_code_too(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = jobworker("--queues", "work", "--shutdown-timeout", "0.2", *mode)
    enqueue("clean_up", 1)
    ledger.wait_for("began 1")
    worker.signal(signal.SIGHUP)
    enqueue("perform", 2)
    ledger.wait_for("2")

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert ledger.lines() == ["began 1", "2", "cleaned up 1 after SIGTERM"]
    assert redis.llen("resque:queue:work") == 1
    assert own_keys(redis) == ["resque:queue:work"]


def test_a_stop_that_comes_while_the_program_starts_is_heard(
    redis: redis_client.Redis, jobworker: Start
) -> None:
    worker = jobworker("--queues", "work")
    worker.wait_until_idle()

    worker.signal(signal.SIGHUP)
    wait_for(lambda: renewals(worker) == 1)
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert own_keys(redis) == []


def test_paused_workers_are_followed_by_paused_ones(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work")
    worker.wait_until_idle()
    worker.signal(signal.SIGUSR2)
    wait_for(lambda: [title(pid)[-6:] for pid in worker.workers()] == ["Paused"])
    enqueue("perform", 1)

    renew(worker)
    wait_for(lambda: [title(pid)[-6:] for pid in worker.workers()] == ["Paused"])
    assert ledger.lines() == []
    worker.signal(signal.SIGCONT)

    ledger.wait_for("1")


def test_jobs_that_are_enqueued_all_the_while_are_performed_once_each_without_a_gap(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--count", "2")
    worker.wait_until_idle(workers=2)

    for number in range(200):
        if number in (20, 120):
            worker.signal(signal.SIGHUP)
        enqueue("perform", number)
        wait_for(lambda: len(ledger.lines()) == number + 1)  # noqa: B023 - called at once

    wait_for(lambda: renewals(worker) >= 1)
    assert sorted(map(int, ledger.lines())) == list(range(200))
    assert redis.llen("resque:failed") == 0


def test_the_pidfile_stays_and_goes_with_the_last_program(
    redis: redis_client.Redis, jobworker: Start, tmp_path: Path
) -> None:
    pidfile = tmp_path / "worker.pid"
    worker = jobworker("--queues", "work", "--pidfile", str(pidfile))
    worker.wait_until_idle()

    renew(worker)
    assert pidfile.read_text() == str(worker.pid)
    assert title(worker.pid) == "jobworker (resque-3): Supervising 1 for work"
    worker.signal(signal.SIGTERM)
    worker.wait()

    assert not pidfile.exists()


def test_a_supervisor_that_is_started_again_for_changes_may_be_renewed(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work", "--reload")
    wait_for(lambda: redis.scard("resque:workers") == 1)
    (supervisor,) = worker.workers()

    worker.signal_one(supervisor, signal.SIGHUP)
    wait_for(lambda: renewals(worker) == 1)
    enqueue("perform", 1)
    ledger.wait_for("1")

    assert worker.workers() == [supervisor]
    worker.signal_all(signal.SIGTERM)
    assert worker.wait() == 0
    assert own_keys(redis) == []
