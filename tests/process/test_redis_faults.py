"""Everything that happens to a Redis, under a real supervisor and its workers.

In each case every process tells once what it sees, goes on by itself, and no job is lost or invented. The
ledger is kept by a Redis that nothing happens to.
"""

from __future__ import annotations

import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis as redis_client

from jobqueue import connection
from jobqueue.exceptions import RedisFull
from tests.process.conftest import (
    ASYNC,
    FORKING,
    LONG_LIVED,
    MODES,
    NAMES,
    THREADS,
    UNMEASURED,
    Jobworker,
    Ledger,
    Mode,
    enqueue,
    modes,
    wait_for,
)
from tests.redisserver import RedisServer
from tests.tcpproxy import TcpProxy

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]
Factory = Callable[..., RedisServer]

CLAIMING = modes(LONG_LIVED, ("--threads", "4"), ("--async", "4"))
"""The ways to claim and settle; one that forks for each job claims and settles as the first does."""
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
def server(redis_factory: Factory, settings) -> Iterator[RedisServer]:
    """Yield the Redis of the jobs, which survives its own death."""
    yield from use(redis_factory(*DURABLE), settings)


def use(server: RedisServer, settings) -> Iterator[RedisServer]:
    settings.JOBQUEUE_REDIS_URL = server.url
    yield server
    server.thaw()
    connection.disconnect()


@pytest.fixture
def start(jobworker: Start, redis_server: str) -> Start:
    """Return a function that starts a jobworker at a URL."""

    def start(url: str, *options: str, **environ: str) -> Jobworker:
        environ = {"TEST_HEARTBEAT": "0.3", "TEST_DEAD_AFTER": "1.5", **environ}
        return jobworker("--queues", "work", *options, REDIS_URL=url, TEST_LEDGER=redis_server, **environ)

    return start


def tellings(worker: Jobworker) -> dict[str, list[str]]:
    """Return what each process has told of Redis, by process."""
    told: dict[str, list[str]] = {}
    for line in worker.log.splitlines():
        process, found, text = line.partition(": Redis ")
        if found:
            told.setdefault(process, []).append(text)
    return told


def wait_for_trouble(worker: Jobworker, words: str) -> None:
    """Wait until a worker, not only the supervisor, has told it."""
    wait_for(
        lambda: any(
            words in text
            for process, texts in tellings(worker).items()
            if process.startswith("worker ")
            for text in texts
        ),
        f"{words!r} in the log",
    )


def assert_told_once(worker: Jobworker, *words: str) -> None:
    """Wait until all who have told of trouble tell that it is over; each kind of it was told once by each."""
    wait_for(
        lambda: all(texts[-1].startswith("answers again") for texts in tellings(worker).values()),
        "a Redis that answers again",
    )
    for texts in tellings(worker).values():
        assert sum(text.startswith("answers again") for text in texts) == 1, texts
        assert all(sum(word in text for text in texts) <= 1 for word in words), texts
        assert len(texts) <= len(words) + 1, texts


def wait_until_all_is_settled(server: RedisServer, processed: int | None = None) -> None:
    """Wait until nothing waits or is in flight, and (if it is told) so many jobs count as processed."""
    with server.client() as redis:
        wait_for(lambda: not redis.llen("resque:queue:work") and not in_flight(redis), "an empty Redis")
        if processed is not None:
            wait_for(lambda: int(redis.get("resque:stat:processed") or 0) >= processed, "the counter")
            assert redis.get("resque:stat:processed") == b"%d" % processed
        assert not redis.get("resque:stat:failed")


def in_flight(redis: redis_client.Redis) -> int:
    return sum(field.isdigit() for key in redis.keys("resque:inflight:*") for field in redis.hkeys(key))


def begin_a_long_job(ledger: Ledger, seconds: float = 0.6, mode: Mode = LONG_LIVED) -> None:
    """Let job 1 run and job 2 wait behind it."""
    enqueue("begin_and_wait", 1, seconds, mode=mode)
    ledger.wait_for("began 1")
    enqueue("perform", 2, mode=mode)


@pytest.mark.parametrize(
    ("end", "mode"),
    [("kill", LONG_LIVED), ("stop", LONG_LIVED), ("kill", FORKING), ("kill", THREADS)],
    ids=lambda each: each if isinstance(each, str) else NAMES[each],
)
def test_a_redis_that_is_gone_and_started_again(
    server: RedisServer, start: Start, ledger: Ledger, end: str, mode: Mode
) -> None:
    worker = start(server.url, *mode)
    begin_a_long_job(ledger, mode=mode)

    getattr(server, end)()
    ledger.wait_for("1")
    wait_for_trouble(worker, "cannot be reached")
    server.start()
    ledger.wait_for("2")

    wait_until_all_is_settled(server, 2)
    assert ledger.lines() == ["began 1", "1", "2"]
    assert_told_once(worker, "cannot be reached", "is still loading")


def test_an_outage_longer_than_dead_after_costs_no_living_run(
    server: RedisServer, start: Start, ledger: Ledger
) -> None:
    workers = [start(server.url), start(server.url)]
    for number in (1, 2):
        enqueue("begin_and_wait", number, 4.0)
    ledger.wait_for("began 1")
    ledger.wait_for("began 2")

    server.kill()
    for worker in workers:
        wait_for_trouble(worker, "cannot be reached")
    time.sleep(2.0)  # longer than dead-after, by the clock that workers are judged by
    server.start()

    wait_until_all_is_settled(server, 2)
    assert sorted(ledger.lines()) == ["1", "2", "began 1", "began 2"]
    for worker in workers:
        assert "recovered" not in worker.log
        assert_told_once(worker, "cannot be reached", "is still loading")


@modes(LONG_LIVED, FORKING, ASYNC)
def test_a_redis_that_hangs(server: RedisServer, start: Start, ledger: Ledger, mode: Mode) -> None:
    worker = start(server.url, *mode)
    begin_a_long_job(ledger, mode=mode)

    server.freeze()
    ledger.wait_for("1")
    wait_for_trouble(worker, "it gives no answer in time")
    server.thaw()
    ledger.wait_for("2")

    wait_until_all_is_settled(server, 2)
    assert ledger.lines() == ["began 1", "1", "2"]
    assert_told_once(worker, "cannot be reached")


def test_a_redis_that_hangs_while_nothing_is_to_do(server: RedisServer, start: Start, ledger: Ledger) -> None:
    worker = start(server.url, "--interval", "0.5")
    enqueue("perform", 1)
    wait_until_all_is_settled(server, 1)

    server.freeze()
    wait_for_trouble(worker, "it gives no answer in time")
    server.thaw()
    enqueue("perform", 2)
    ledger.wait_for("2")

    assert_told_once(worker, "cannot be reached")


@CLAIMING
def test_connections_that_are_cut_in_the_middle_of_replies(
    server: RedisServer, start: Start, ledger: Ledger, settings, mode: Mode
) -> None:
    with TcpProxy(server.path) as producers, TcpProxy(server.path) as workers:
        settings.JOBQUEUE_REDIS_URL = producers.url
        start(workers.url, "--count", "2", *mode)
        with cutting(workers):
            count = 0
            while count < 300 or (workers.cuts < 4 and count < 30_000):
                if count % 2:
                    producers.cut_in_reply(count % 5)
                enqueue("perform", count, 0.005 * (count % 4), mode=mode)
                count += 1
            wait_for(lambda: len(set(ledger.lines())) == count, "all jobs")
        wait_until_all_is_settled(server, count)
        connection.disconnect()

        assert producers.cuts == count // 2
        assert workers.cuts >= 4
    assert sorted(map(int, ledger.lines())) == list(range(count))


@contextmanager
def cutting(proxy: TcpProxy) -> Iterator[None]:
    """Cut connections in the middle of a reply, every now and then, with time between for those cut off."""
    chance, ended = random.Random(7), threading.Event()

    def cut() -> None:
        while not ended.wait(chance.uniform(0.05, 0.3)):
            cuts = proxy.cuts
            proxy.cut_in_reply(chance.choice([0, 1, 5, 40]))
            while proxy.cuts == cuts and not ended.wait(0.01):
                pass

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_replies_that_come_later_than_they_are_waited_for(
    server: RedisServer, start: Start, ledger: Ledger
) -> None:
    """What was sent and given up arrives all the same, after it was sent again on another connection."""
    with TcpProxy(server.path) as proxy:
        worker = start(proxy.url, "--count", "2", TEST_SOCKET_TIMEOUT="0.2")
        for number in range(200):
            enqueue("perform", number, 0.002)
        for seen in (20, 60, 100):
            wait_for(lambda: len(ledger.lines()) > seen)  # noqa: B023 - called at once
            before, proxy.delay_seconds = proxy.connects, 0.5
            # Each of the workers has given a connection up
            wait_for(lambda: proxy.connects > before + 4)  # noqa: B023
            proxy.delay_seconds = 0.0
        wait_for_trouble(worker, "it gives no answer in time")
        wait_for(lambda: len(set(ledger.lines())) == 200, "all jobs")

        wait_until_all_is_settled(server, 200)
    assert sorted(map(int, ledger.lines())) == list(range(200))


def test_a_redis_that_loads_its_data(redis_factory: Factory, start: Start, ledger: Ledger, settings) -> None:
    server = redis_factory(*DURABLE, "--key-load-delay", "500")  # in microseconds
    settings.JOBQUEUE_REDIS_URL = server.url
    with server.client() as redis, redis.pipeline(transaction=False) as pipe:
        # It looks at its clients after each thousand
        for number in range(6000):
            pipe.set(f"filler:{number}", "x")
        pipe.execute()
    worker = start(server.url)
    begin_a_long_job(ledger)

    server.kill()
    server.start()  # which takes some seconds
    wait_for_trouble(worker, "is still loading its data")
    ledger.wait_for("2")

    wait_until_all_is_settled(server, 2)
    assert ledger.lines() == ["began 1", "1", "2"]
    assert_told_once(worker, "cannot be reached", "is still loading")


def test_a_master_that_becomes_a_replica_and_a_master_again(
    server: RedisServer, start: Start, ledger: Ledger
) -> None:
    worker = start(server.url)
    begin_a_long_job(ledger)

    with server.client() as redis:
        redis.replicaof("127.0.0.1", "1")
        ledger.wait_for("1")
        wait_for_trouble(worker, "is a replica, which takes no writes")
        redis.replicaof("NO", "ONE")
    ledger.wait_for("2")

    wait_until_all_is_settled(server, 2)
    assert ledger.lines() == ["began 1", "1", "2"]
    assert_told_once(worker, "is a replica")


def test_a_master_without_the_replicas_that_it_must_have(
    server: RedisServer, start: Start, ledger: Ledger
) -> None:
    worker = start(server.url)
    begin_a_long_job(ledger)

    with server.client() as redis:
        redis.config_set("min-replicas-to-write", 1)
        ledger.wait_for("1")
        wait_for_trouble(worker, "refuses: NOREPLICAS")
        redis.config_set("min-replicas-to-write", 0)
    ledger.wait_for("2")

    wait_until_all_is_settled(server, 2)
    assert ledger.lines() == ["began 1", "1", "2"]
    assert_told_once(worker, "refuses: ")


@CLAIMING
def test_a_redis_that_forgets_its_scripts(
    server: RedisServer, start: Start, ledger: Ledger, mode: Mode
) -> None:
    worker = start(server.url, "--count", "2", *mode)
    with server.client() as redis:
        for number in range(200):
            enqueue("perform", number, 0.002, mode=mode)
            if number % 10 == 0:
                redis.script_flush()
        while len(ledger.lines()) < 200:
            redis.script_flush()

    wait_until_all_is_settled(server, 200)
    assert sorted(map(int, ledger.lines())) == list(range(200))
    assert tellings(worker) == {}


def test_a_password_that_is_changed_and_changed_back(
    server: RedisServer, start: Start, ledger: Ledger, settings
) -> None:
    with server.client() as redis:
        redis.acl_setuser("jobs", enabled=True, passwords=["+old-secret"], keys="*", commands=["+@all"])
        settings.JOBQUEUE_REDIS_URL = server.url.replace("://", "://jobs:old-secret@")
        worker = start(settings.JOBQUEUE_REDIS_URL)
        begin_a_long_job(ledger)

        redis.acl_setuser("jobs", enabled=True, passwords=["-old-secret", "+new-secret"])
        redis.client_kill_filter(_type="normal", skipme=True)
        ledger.wait_for("1")
        wait_for_trouble(worker, "refuses the user or password")
        redis.acl_setuser("jobs", enabled=True, passwords=["+old-secret"])
        ledger.wait_for("2")

    wait_until_all_is_settled(server, 2)
    assert ledger.lines() == ["began 1", "1", "2"]
    assert_told_once(worker, "cannot be reached", "refuses the user or password")
    assert "-secret" not in worker.log


@pytest.fixture
def forgetful(server: RedisServer, tmp_path: Path) -> Callable[[], Callable[[], None]]:
    """Return a function that notes what Redis has now; what that returns kills it and brings that back."""

    def note() -> Callable[[], None]:
        server.freeze()
        for path in server.folder.glob("appendonly*"):
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, tmp_path / path.name)
        server.thaw()
        return forget

    def forget() -> None:
        server.kill()
        for path in tmp_path.glob("appendonly*"):
            if path.is_dir():
                shutil.rmtree(server.folder / path.name)
                shutil.copytree(path, server.folder / path.name)
            else:
                shutil.copy(path, server.folder / path.name)
        server.start()

    return note


def test_a_redis_that_comes_back_without_its_last_seconds(
    server: RedisServer, start: Start, ledger: Ledger, forgetful: Callable[[], Callable[[], None]]
) -> None:
    worker = start(server.url, "--count", "2")
    for number in range(300):
        enqueue("perform", number, 0.005)
    wait_for(lambda: len(ledger.lines()) > 50)

    forget = forgetful()
    wait_for(lambda: len(ledger.lines()) > 150)
    forget()
    wait_for(lambda: len(set(ledger.lines())) == 300, "all jobs that Redis had")
    enqueue("perform", 300)
    ledger.wait_for("300")

    wait_until_all_is_settled(server)
    assert {int(line) for line in ledger.lines()} == set(range(301))
    assert_told_once(worker, "cannot be reached", "is still loading")


def test_a_redis_that_has_forgotten_the_run_itself(
    server: RedisServer, start: Start, ledger: Ledger, forgetful: Callable[[], Callable[[], None]]
) -> None:
    enqueue("perform", 0)
    forget = forgetful()
    worker = start(server.url)
    begin_a_long_job(ledger, 2.0)

    forget()
    enqueue("perform", 3)
    ledger.wait_for("3")

    wait_until_all_is_settled(server)
    assert set(ledger.lines()) >= {"0", "began 1", "1", "3"}
    with server.client() as redis:
        wait_for(lambda: redis.scard("resque:workers") == redis.zcard("resque:runs") == 1)
    assert "begins anew" in worker.log


@pytest.fixture
def full(server: RedisServer) -> Iterator[redis_client.Redis]:
    """Yield a client of the server, which ``fill`` fills."""
    with server.client() as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        yield redis
        redis.config_set("maxmemory", 0)


@MODES
def test_a_redis_without_memory_is_drained_by_workers_that_come_and_crash(
    server: RedisServer, full: redis_client.Redis, start: Start, ledger: Ledger, mode: Mode
) -> None:
    for number in range(100):
        enqueue("perform", number, mode=mode)
    enqueue("begin_and_wait", 100, 0.5, mode=mode)
    enqueue("fail", 101, mode=mode)
    enqueue("die", 102, mode=mode)
    enqueue("perform", 103, mode=mode)
    full.config_set("maxmemory", 1)
    with pytest.raises(RedisFull):
        enqueue("perform", 104)

    worker = start(server.url, *mode, **UNMEASURED)
    ledger.wait_for("103")
    wait_for(lambda: full.llen("resque:failed") == 2)
    wait_for(lambda: full.get("resque:stat:processed") == b"104")
    assert not in_flight(full)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0

    assert {int(line) for line in ledger.lines() if line.isdigit()} == {*range(101), 103}
    assert not full.keys("resque:inflight:*") and not full.exists("resque:runs", "resque:workers")
    assert tellings(worker) == {}


def test_a_redis_that_was_full_takes_jobs_again(
    server: RedisServer, full: redis_client.Redis, start: Start, ledger: Ledger
) -> None:
    full.config_set("maxmemory", "8mb")
    number = 0
    with pytest.raises(RedisFull):
        while True:
            enqueue("noop", "x" * 100_000)
            number += 1

    start(server.url)
    wait_until_all_is_settled(server, number)

    enqueue("perform", 1)
    ledger.wait_for("1")
