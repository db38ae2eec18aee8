"""Whatever is killed, every job is performed or stands in Failed; nothing is stranded."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest
import redis as redis_client

from jobqueue import batchsize
from jobqueue.failure import Failure
from tests.process.conftest import (
    ASYNC,
    FORKING,
    IN_WORKER,
    LONG_LIVED,
    MIXED,
    MODES,
    SEVERAL,
    UNMEASURED,
    Jobworker,
    Ledger,
    Mode,
    enqueue,
    full_name,
    modes,
    state,
    wait_for,
)
from tests.redisserver import RedisServer

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]
QUICK = {"TEST_DEAD_AFTER": "1.5", "TEST_HEARTBEAT": "0.3"}
"""A supervisor that takes others for dead soon."""


def lanes(mode: Mode) -> int:
    """How many jobs run at a time in one worker."""
    return int(mode[1]) if mode and mode != FORKING else 1


def processes(ledger: Ledger, number: int) -> list[str]:
    """The processes that a job has begun in."""
    return [line.split()[-1] for line in ledger.lines() if line.startswith(f"began {number} in ")]


def failures(redis: redis_client.Redis) -> list[Failure]:
    return [Failure.parse(raw) for raw in redis.lrange("resque:failed", 0, -1)]


def in_redis(redis: redis_client.Redis) -> int:
    """The number of jobs that wait or are in flight."""
    held = [field for key in redis.keys("resque:inflight:*") for field in redis.hkeys(key)]
    return redis.llen("resque:queue:work") + sum(field.isdigit() for field in held)


def everything_ended(redis: redis_client.Redis, ledger: Ledger, numbers: range) -> bool:
    done = {line for line in ledger.lines() if line.isdigit()}
    failed = {str(each.job.args[0]) for each in failures(redis) if each.job}
    return {str(number) for number in numbers} <= done | failed and not in_redis(redis)


@IN_WORKER
def test_a_job_that_kills_its_worker_fails_at_once_and_names_the_signal(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("die", 1, mode=mode)
    enqueue("perform", 2, mode=mode)

    ledger.wait_for("2")

    assert ledger.lines() == ["died 1", "2"]
    (failure,) = failures(redis)
    assert failure.exception == "jobqueue.exceptions.DirtyExit"
    assert "received unhandled signal" in failure.error and "SIGKILL (signal 9)" in failure.error
    assert failure.worker.split(":")[1] not in map(str, worker.workers())


DEATHS = {
    "read_nothing": "received unhandled signal pid {pid} SIGSEGV (signal 11)",
    "abort": "received unhandled signal pid {pid} SIGABRT (signal 6)",
    "run_out_of_memory": "received unhandled signal pid {pid} SIGKILL (signal 9)",
    "leave": "pid {pid} exited with status 0 before its job had ended",
    "leave_with_status": "pid {pid} exited with status 7 before its job had ended",
}
"""Ways of a job to end its process, and what the failure says of it."""


@MODES
@pytest.mark.parametrize("way", DEATHS)
def test_a_job_that_ends_its_process_fails_and_tells_how(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("crash", 1, way, mode=mode)
    enqueue("perform", 2, mode=mode)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    (pid,) = processes(ledger, 1)
    assert failure.exception == "jobqueue.exceptions.DirtyExit"
    assert failure.error == f"Child process {DEATHS[way].format(pid=pid)}"


@MODES
@pytest.mark.parametrize("way", DEATHS)
def test_a_job_that_may_crash_is_tried_again_before_all_others(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, way: str
) -> None:
    enqueue("perform", 1, mode=mode)
    enqueue("try_again", 2, way, 2, mode=mode)
    enqueue("perform", 3, mode=mode)
    enqueue("perform", 4, mode=mode)

    jobworker("--queues", "work", *mode)
    ledger.wait_for("4")

    assert [line.split()[0] for line in ledger.lines()] == ["1", "began", "began", "began", "2", "3", "4"]
    assert len(set(processes(ledger, 2))) == 3
    assert failures(redis) == []
    wait_for(lambda: redis.get("resque:stat:processed") == b"4")


@MODES
def test_a_job_that_crashes_too_often_fails_and_tells_how_often(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("try_again_once", 1, "leave", mode=mode)
    enqueue("perform", 2, mode=mode)

    ledger.wait_for("2")

    (failure,) = failures(redis)
    first, last = processes(ledger, 1)
    assert failure.error == (
        f"Child process pid {last} exited with status 0 before its job had ended. "
        f"{full_name('try_again_once', mode)} was in flight in 2 processes that died"
    )
    assert failure.job and failure.job.crashes == 1
    assert first != last


@MODES
@pytest.mark.parametrize("name", ["begin_and_wait", "try_again_long"])
def test_a_worker_that_is_killed_lets_its_job_fail_or_be_tried_again(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode, name: str
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue(name, 1, 60, mode=mode)
    ledger.wait_for("began 1")
    enqueue("perform", 2, mode=mode)

    os.kill(worker.workers()[0], signal.SIGKILL)
    ledger.wait_for("2")

    if name == "begin_and_wait":
        assert "SIGKILL (signal 9)" in failures(redis)[0].error
        assert ledger.lines() == ["began 1", "2"]
    else:
        assert failures(redis) == []
        assert ledger.lines() == ["began 1", "began 1", "1", "2"]


@modes(LONG_LIVED, FORKING, ASYNC)
def test_a_job_of_a_killed_tree_is_tried_again_if_its_definition_says_so(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("try_again_long", 1, 60, mode=mode)
    ledger.wait_for("began 1")
    wait_for(lambda: redis.keys("resque:worker:*:work"))

    worker.signal_all(signal.SIGKILL)
    jobworker("--queues", "work", *mode, **QUICK)
    ledger.wait_for("1")

    assert ledger.lines() == ["began 1", "began 1", "1"]
    assert failures(redis) == []


@MODES
def test_a_dead_childs_job_counts_as_resque_counts_it(
    redis: redis_client.Redis, jobworker: Start, mode: Mode
) -> None:
    jobworker("--queues", "work", *mode)
    enqueue("die", 1, mode=mode)

    wait_for(lambda: failures(redis))

    assert redis.get("resque:stat:processed") == b"1"
    assert redis.get("resque:stat:failed") is None


@SEVERAL
def test_a_worker_killed_in_a_batch_repeats_nothing_and_loses_nothing(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    for number in range(400):
        enqueue("perform", number, 0.001, mode=mode)
    worker = jobworker("--queues", "work", *mode, "--count", "2", **UNMEASURED)

    for seen in (50, 150, 250):
        wait_for(lambda: len(ledger.lines()) > seen)  # noqa: B023 - called at once
        os.kill(random.choice(wait_for(worker.workers)), signal.SIGKILL)
    wait_for(lambda: everything_ended(redis, ledger, range(400)))

    done = [line for line in ledger.lines() if line.isdigit()]
    repeated = len(done) - len(set(done))
    assert repeated == 0
    # A job whose worker dies between its end and the note of it fails although it is done
    assert len(failures(redis)) <= 3 * lanes(mode)


def test_a_child_that_is_killed_in_a_batch_takes_no_other_job_with_it(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    for number in range(20):
        enqueue("die" if number % 5 == 3 else "perform", number)
    jobworker("--queues", "work", "--jobs-per-fork", "1")

    wait_for(lambda: everything_ended(redis, ledger, range(20)))

    told = [f"died {number}" if number % 5 == 3 else str(number) for number in range(20)]
    assert ledger.lines() == told
    assert [each.job.args[0] for each in failures(redis) if each.job] == [3, 8, 13, 18]


@SEVERAL
def test_a_tree_killed_in_a_batch_repeats_no_more_than_the_batch(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    count = 200 if mode == FORKING else 3000
    for number in range(count):
        enqueue("perform", number, 0.0001, mode=mode)
    worker = jobworker("--queues", "work", *mode, **UNMEASURED)
    wait_for(lambda: len(ledger.lines()) > count / 30)

    worker.signal_all(signal.SIGKILL)
    assert len(ledger.lines()) < count
    jobworker("--queues", "work", *mode, **QUICK, **UNMEASURED)
    wait_for(lambda: everything_ended(redis, ledger, range(count)))

    done = [line for line in ledger.lines() if line.isdigit()]
    assert len(done) - len(set(done)) < batchsize.MOST + lanes(mode)


@MODES
def test_workers_of_a_killed_supervisor_finish_their_job_and_leave(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    worker = jobworker("--queues", "work", *mode)
    enqueue("begin_and_wait", 1, 0.5, mode=mode)
    ledger.wait_for("began 1")
    (orphan,) = worker.workers()

    worker.signal(signal.SIGKILL)
    wait_for(lambda: state(orphan) in ("", "Z"))

    assert ledger.lines() == ["began 1", "1"]
    assert redis.smembers("resque:workers") == set()
    assert redis.keys("resque:inflight:*") == []


def test_a_killed_tree_is_recovered_by_the_next_supervisor_in_order(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    worker = jobworker("--queues", "work")
    enqueue("begin_and_wait", 1, 60)
    ledger.wait_for("began 1")
    wait_for(lambda: redis.keys("resque:worker:*:work"))
    for number in range(2, 6):
        enqueue("perform", number)

    worker.signal_all(signal.SIGKILL)
    jobworker("--queues", "work", **QUICK)
    wait_for(lambda: failures(redis))

    (failure,) = failures(redis)
    assert failure.job and failure.job.args[0] == 1
    assert "did not gracefully exit while processing" in failure.error
    ledger.wait_for("5")
    assert ledger.lines() == ["began 1", "2", "3", "4", "5"]
    wait_for(lambda: len(redis.smembers("resque:workers")) == 1)


def test_a_frozen_tree_is_recovered_and_refused_when_it_wakes(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    frozen = jobworker("--queues", "work", **QUICK)
    enqueue("begin_and_wait", 1, 0.2)
    ledger.wait_for("began 1")
    frozen.signal_all(signal.SIGSTOP)
    for number in range(2, 10):
        enqueue("perform", number)

    other = jobworker("--queues", "work", **QUICK)
    ledger.wait_for("9")
    wait_for(lambda: failures(redis) or "1" in ledger.lines())
    frozen.signal_all(signal.SIGCONT)
    enqueue("begin_and_wait", 10, 0.0)
    ledger.wait_for("10")
    wait_for(lambda: len(redis.smembers("resque:workers")) == 2)

    wait_for(lambda: everything_ended(redis, ledger, range(1, 11)))
    assert len(redis.zrange("resque:runs", 0, -1)) == 2
    other.signal(signal.SIGTERM)
    frozen.signal(signal.SIGTERM)
    assert (other.wait(), frozen.wait()) == (0, 0)


@SEVERAL
def test_a_worker_in_a_frozen_batch_begins_no_job_that_others_got(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: Mode
) -> None:
    frozen = jobworker("--queues", "work", *mode, **QUICK, **UNMEASURED)
    wait_for(frozen.workers)
    count = 300 * lanes(mode)
    for number in range(count):
        enqueue("perform", number, 0.003, mode=mode)
    wait_for(lambda: len(ledger.lines()) > 30)
    frozen.signal_all(signal.SIGSTOP)

    jobworker("--queues", "work", *mode, **QUICK, **UNMEASURED)
    # One that was known to have begun has failed
    wait_for(lambda: len(set(ledger.lines())) + redis.llen("resque:failed") >= count)
    frozen.signal_all(signal.SIGCONT)
    wait_for(lambda: everything_ended(redis, ledger, range(count)))

    # Only what the frozen worker had done and could not settle may have been repeated
    assert len(ledger.lines()) - len(set(ledger.lines())) <= 20 * lanes(mode)


def test_runs_that_nobody_can_read_end_no_supervisor_and_hold_up_no_other(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    redis.zadd("resque:runs", {"a-nonsense": 1, "b-text": 2, b"\xff": 3, "z-dead": 4})
    redis.hset("resque:inflight:a-nonsense", "1", "nonsense")
    redis.set("resque:inflight:b-text", "nonsense")
    waiting = '0:4:work{"class":"tests.workload.jobs.perform","args":[1]}'
    redis.hset("resque:inflight:z-dead", mapping={"worker": "host:1:work", "1": waiting})

    worker = jobworker("--queues", "work", **QUICK)
    ledger.wait_for("1")
    (run,) = set(redis.zrange("resque:runs", 0, -1)) - {b"a-nonsense", b"b-text"}
    redis.hset(b"resque:inflight:" + run, "nonsense", "nonsense")
    os.kill(worker.workers()[0], signal.SIGKILL)

    enqueue("perform", 2)
    ledger.wait_for("2")
    assert worker.log.count("cannot be recovered") == 3


def test_a_redis_that_is_killed_and_started_again_loses_nothing(
    redis_factory: Callable[..., RedisServer], jobworker: Start
) -> None:
    server = redis_factory("--appendonly", "yes", "--appendfsync", "always")
    with server.client() as client:
        worker = jobworker("--queues", "work", REDIS_URL=server.url)
        ledger = Ledger(client)
        script = [b'{"class":"tests.workload.jobs.perform","args":[%d,0.005]}' % n for n in range(300)]
        client.sadd("resque:queues", "work")
        client.rpush("resque:queue:work", *script)
        wait_for(lambda: len(ledger.lines()) > 50)

        server.kill()
        wait_for(lambda: "Trying again until it answers." in worker.log)
        server.start()

        wait_for(lambda: everything_ended(client, ledger, range(300)))
        assert "Redis answers again" in worker.log
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        assert client.keys("resque:inflight:*") == []


def test_random_kills_lose_nothing(redis: redis_client.Redis, jobworker: Start, ledger: Ledger) -> None:
    """Jobs of 0 to 50 ms while workers of all modes, supervisors and whole trees die, or stop for a while."""
    chance = random.Random(20261121)
    count = 2500
    for number in range(count):
        enqueue("perform", number, chance.uniform(0, 0.05), mode=chance.choice([LONG_LIVED, ASYNC]))
    trees = [jobworker("--queues", "work", *mode, **QUICK) for mode in MIXED]
    for _ in range(12):
        time.sleep(chance.uniform(0.1, 0.6))
        disturb(chance, chance.choice(trees))
    for tree in trees:
        tree.signal_all(signal.SIGCONT)
        tree.destroy()
        tree.start()

    wait_for(lambda: everything_ended(redis, ledger, range(count)), seconds=60)

    known = {str(number) for number in range(count)}
    failed = {str(each.job.args[0]) for each in failures(redis) if each.job}
    assert known <= {*ledger.lines()} | failed


def disturb(chance: random.Random, tree: Jobworker) -> None:
    """Do something bad to one tree of processes."""
    match chance.choice(["worker", "worker", "supervisor", "tree", "freeze"]):
        case "worker":
            for pid in tree.workers()[:1]:
                os.kill(pid, signal.SIGKILL)
        case "supervisor":
            tree.signal(signal.SIGKILL)
            tree.process.wait()
            tree.start()
        case "tree":
            tree.destroy()
            tree.start()
        case "freeze":
            tree.signal_all(signal.SIGSTOP)
            time.sleep(chance.choice([0.1, 2.0]))
            tree.signal_all(signal.SIGCONT)
