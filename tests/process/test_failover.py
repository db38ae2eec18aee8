"""Sentinel promotes a replica under load: workers and producers find it by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import redis as redis_client

from jobqueue import connection
from jobqueue.exceptions import JobQueueError, NotReplicated
from tests.failover import SERVICE, Failover, running_failover
from tests.process.conftest import Jobworker, Ledger, enqueue, wait_for
from tests.redisserver import RedisServer

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]


@pytest.fixture
def failover(settings) -> Iterator[Failover]:
    with running_failover() as failover:
        settings.JOBQUEUE_REDIS_URL = failover.url
        settings.JOBQUEUE_WAIT_REPLICAS = 1
        settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 0.05
        yield failover
        connection.disconnect()


@pytest.fixture
def worker(failover: Failover, jobworker: Start, redis_server: str) -> Jobworker:
    """Return two workers under a supervisor; what they perform stands in a Redis that lives on."""
    return jobworker(
        *("--queues", "work", "--count", "2"),
        REDIS_URL=failover.url,
        TEST_LEDGER=redis_server,
        TEST_HEARTBEAT="0.5",
    )


class Producer(threading.Thread):
    """Enqueues until it is told to end, and notes what became of each number."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.replicated: list[str] = []
        self.unreplicated: list[str] = []
        self.refused: list[str] = []
        self._is_over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._is_over.wait(0.002):
            number += 1
            try:
                enqueue("perform", number)
            except NotReplicated:
                self.unreplicated.append(str(number))
            except JobQueueError:
                self.refused.append(str(number))
            else:
                self.replicated.append(str(number))

    def total(self) -> int:
        return len(self.replicated) + len(self.unreplicated)

    def end(self) -> None:
        self._is_over.set()
        self.join()


@pytest.fixture
def producer(failover: Failover) -> Iterator[Producer]:
    producer = Producer()
    producer.start()
    yield producer
    producer.end()


def wait_until_performed(numbers: set[str], ledger: Ledger, new: redis_client.Redis) -> None:
    wait_for(lambda: numbers <= set(ledger.lines()), "all that was promised")
    wait_for(lambda: not new.llen("resque:queue:work"), "an empty queue")


def test_workers_and_producers_follow_a_master_that_is_killed_under_load(
    failover: Failover, worker: Jobworker, producer: Producer, ledger: Ledger
) -> None:
    wait_for(lambda: len(producer.replicated) > 200 and len(ledger.lines()) > 100)

    failover.master.kill()
    # One may have been answered just before, and not be noted yet
    surely_after = len(producer.unreplicated) + 1
    wait_for(lambda: len(producer.unreplicated) > surely_after + 50, "pushes to the new master")
    producer.end()

    with failover.replica.client() as new:
        promised = {*producer.replicated, *producer.unreplicated[surely_after:]}
        wait_until_performed(promised, ledger, new)
        assert not new.get("resque:stat:failed")
        assert new.scard("resque:workers") == 2
    assert producer.refused
    assert_told_once(worker)


def test_a_switch_by_hand_loses_nothing(
    failover: Failover, worker: Jobworker, producer: Producer, ledger: Ledger
) -> None:
    wait_for(lambda: len(producer.replicated) > 200 and len(ledger.lines()) > 100)

    with failover.sentinels[0].client() as sentinel:
        sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)
    wait_for(lambda: is_master(failover.replica), "the promotion")
    with failover.replica.client() as new:
        before = producer.total()
        wait_for(lambda: producer.total() > before + 50, "pushes to the new master")
        producer.end()

        wait_until_performed(set(producer.replicated), ledger, new)


def is_master(server: RedisServer) -> bool:
    with suppress(redis_client.ConnectionError), server.client() as client:
        return bool(client.info("replication")["role"] == "master")
    # Sentinel cuts all clients of a server that it promotes
    return False


def assert_told_once(worker: Jobworker) -> None:
    """Each process has told each kind of trouble once, and that it was over."""
    lines = worker.log.splitlines()
    for process in {line.partition(": Redis")[0] for line in lines if ": Redis" in line}:
        told = [line for line in lines if line.startswith(f"{process}: Redis")]
        assert "answers again" in told[-1], told
        assert sum("answers again" in line for line in told) == 1, told
        assert sum("cannot be reached" in line for line in told) == 1, told
