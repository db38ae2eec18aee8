"""What a failover loses: jobs that Redis had acknowledged and the new master never had.

    $ python -m benchmarks.failover

A producer enqueues without a pause to a master whose replica is behind a link of some latency. Then the
master is killed with ``kill -9`` and the link is cut, as when a machine dies, and the replica is promoted.
What was acknowledged and is not there is lost. Once more with JOBQUEUE_WAIT_REPLICAS = 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import django
from django.conf import settings

from benchmarks.report import print_table
from jobqueue import connection
from jobqueue.exceptions import JobQueueError, NotReplicated
from jobqueue.store.pushing import push
from tests.failover import running_failover
from tests.redisserver import RedisServer, free_port
from tests.tcpproxy import TcpProxy

QUEUE = "work"
ENQUEUE_SECONDS = 1.0


class Loss(NamedTuple):
    """What one failover cost."""

    acknowledged: int
    lost: int
    window_ms: float
    """How long before the kill the oldest of the lost jobs was acknowledged."""


class Producer(threading.Thread):
    """Enqueues without a pause until Redis is gone; notes when each job was acknowledged."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.acknowledged: dict[int, float] = {}
        self.began = time.monotonic()

    def run(self) -> None:
        number = 0
        while True:
            number += 1
            try:
                push(QUEUE, [b"%d" % number])
            except NotReplicated:
                continue
            except JobQueueError:
                return
            self.acknowledged[number] = time.monotonic()


def lose_master(latency_seconds: float) -> Loss:
    with replicated(latency_seconds) as (master, replica, link):
        producer = Producer()
        producer.start()
        time.sleep(ENQUEUE_SECONDS)
        killed_at = time.monotonic()
        link.cut()
        master.kill()
        producer.join()
        with closing(replica.client()) as redis:
            redis.replicaof("NO", "ONE")
            kept = {int(payload) for payload in redis.lrange(f"resque:queue:{QUEUE}", 0, -1)}
    lost = [moment for number, moment in producer.acknowledged.items() if number not in kept]
    window = max(0.0, killed_at - min(lost)) if lost else 0.0
    return Loss(len(producer.acknowledged), len(lost), window * 1000)


@contextmanager
def replicated(latency_seconds: float) -> Iterator[tuple[RedisServer, RedisServer, TcpProxy]]:
    """Start a master, and a replica whose link has a latency once it has copied the master's data."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        master = RedisServer(Path(one), "--appendonly", "yes", "--appendfsync", "everysec")
        master.start()
        with TcpProxy(master.path) as link:
            copies = ["--port", str(free_port()), "--replicaof", "127.0.0.1", str(link.port)]
            replica = RedisServer(Path(two), *copies)
            try:
                replica.start()
                replica.wait_for_master()
                link.delay_seconds = latency_seconds
                settings.JOBQUEUE_REDIS_URL = master.url
                yield master, replica, link
            finally:
                connection.disconnect()
                replica.kill()
                master.kill()


def seconds_without_master() -> float:
    """Return for how long no enqueue succeeds, from the kill of a master under three Sentinels."""
    with running_failover() as failover:
        settings.JOBQUEUE_REDIS_URL = failover.url
        push(QUEUE, [b"before"])
        failover.master.kill()
        killed_at = time.monotonic()
        while True:
            try:
                push(QUEUE, [b"after"])
            except JobQueueError:
                time.sleep(0.02)
            else:
                break
        connection.disconnect()
        return time.monotonic() - killed_at


def row(latency_ms: float, replicas: int, rounds: int) -> list[str]:
    settings.JOBQUEUE_WAIT_REPLICAS = replicas
    losses = []
    for round in range(rounds):
        print(f"{latency_ms} ms, {replicas} replicas: round {round + 1}/{rounds}", file=sys.stderr)
        losses.append(lose_master(latency_ms / 1000))
    rate = sum(loss.acknowledged for loss in losses) / len(losses) / ENQUEUE_SECONDS
    windows = [loss.window_ms for loss in losses]
    return [
        f"{latency_ms:g} ms",
        str(replicas),
        f"{rate:,.0f}",
        f"{statistics.median(loss.lost for loss in losses):,.0f} ({max(loss.lost for loss in losses):,})",
        f"{statistics.median(windows):,.1f} ({max(windows):,.1f})",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--latencies-ms", type=float, nargs="+", default=[0, 1, 10, 50])
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 1.0
    rows = [row(ms, replicas, options.rounds) for replicas in (0, 1) for ms in options.latencies_ms]
    heads = ["Latency of the replica's link", "`JOBQUEUE_WAIT_REPLICAS`", "enqueued/s"]
    print_table([*heads, "lost: median (most)", "window, ms: median (most)"], rows)
    settings.JOBQUEUE_WAIT_REPLICAS = 0
    away = [seconds_without_master() for _ in range(options.rounds)]
    print(f"Without a master: {statistics.median(away):.1f} s (at most {max(away):.1f} s)")


if __name__ == "__main__":
    main()
