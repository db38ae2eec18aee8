"""What the chaos happens to: a Redis behind a proxy, trees of worker processes, and producers."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobqueue.keys import Keys
from tests.chaos import ledger
from tests.chaos.jobs import QUEUES
from tests.process.conftest import ROOT, Jobworker, children
from tests.redisserver import RedisServer
from tests.tcpproxy import TcpProxy

KEYS = Keys("resque:")
SETTINGS = "tests.chaos.settings"
COMMON = ("--shutdown-timeout", "1", "--interval", "1")
TREES: tuple[tuple[int, tuple[str, ...], dict[str, str]], ...] = (
    (2, ("--queues", "quick,slow"), {}),
    (1, ("--queues", "*", "--jobs-per-fork", "1"), {ledger.FORKS: "1"}),
    (2, ("--queues", "slow,quick", "--jobs-per-fork", "40"), {"TERM_CHILD": "1"}),
    (1, ("--queues", "quick,slow", "--threads", "4"), {ledger.LANES: "1"}),
    (1, ("--queues", "slow,quick", "--async", "4"), {ledger.LANES: "1"}),
)
"""How many workers, with which options, in which environment."""
HOSTNAME = "CHAOS_HOSTNAME"
"""Environment variable: each tree takes itself for a machine of its own."""
FRESH_SECONDS = 1.5
"""A run that lives has a heartbeat so young."""


class Tree(Jobworker):
    """A supervisor with its workers, which is started again whenever it ends."""

    may_end = False
    """The monkey has told it to end, or killed it."""

    def __init__(self, log: Path, count: int, options: tuple[str, ...], environ: dict[str, str]) -> None:
        self.count = count
        super().__init__(log, (*COMMON, "--count", str(count), *options), environ, ROOT)

    def hears(self) -> bool:
        """Tell whether it goes on and hears signals: while it starts they end any process."""
        is_there = self.is_running and not self.may_end and bool(self.workers())
        return is_there and self._has_told_of_workers()

    def _has_told_of_workers(self) -> bool:
        with self.log_path.open("rb") as log:
            log.seek(self._log_before)
            return any(b"started" in line for line in log)

    def is_whole(self) -> bool:
        """Tell whether it has all of its workers, and was not told to end."""
        return self.hears() and len(self.workers()) == self.count

    def start(self) -> None:
        self._log_before = self.log_path.stat().st_size if self.log_path.exists() else 0
        self.may_end = False
        super().start()

    def kill(self) -> None:
        self.may_end = True
        self.signal_all(signal.SIGKILL)

    def kill_supervisor(self) -> None:
        self.may_end = True
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            super().signal(number)

    def signal_all(self, number: int) -> None:
        with suppress(ProcessLookupError):
            super().signal_all(number)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


class Producer:
    """A process that enqueues, until it is killed."""

    def __init__(self, site: Path, name: str, seed: int, url: str) -> None:
        self.name = name
        self.may_end = False
        with (site / "producers.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "django", "produce", name, "--seed", str(seed)],
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, "REDIS_URL": url},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        self.may_end = True
        self.process.kill()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


class Site:
    """All processes of a chaos run, in one folder."""

    def __init__(self, folder: Path, seed: int, producers: int, trees: int) -> None:
        self.folder = folder
        self._seed = seed
        (folder / "redis").mkdir(parents=True)
        os.environ[ledger.FOLDER] = str(folder)
        # Redis alone decides what is durable: with less than `always` its own loss would count as ours
        durable = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
        # All of the file is read in the end
        durable = (*durable, "--auto-aof-rewrite-percentage", "0")
        self.redis = RedisServer(folder / "redis", *durable)
        self.client = redis.Redis.from_url(
            self.redis.url, protocol=2, socket_timeout=5, retry=Retry(NoBackoff(), 0)
        )
        self._wanted = (producers, trees)
        self.proxies: list[TcpProxy] = []
        self.trees: list[Tree] = []
        self.producers: list[Producer] = []
        self._names = map("p{}".format, itertools.count())
        self.ended_by_themselves: list[str] = []

    def start(self) -> None:
        """Start everything; what is cut short by an error, ``close`` ends."""
        producers, trees = self._wanted
        self.redis.start()
        # Each tree has a network of its own, so that one can be cut off while others go on; the last is the
        # producers'
        for _ in range(trees + 1):
            self.proxies.append(TcpProxy(self.redis.path).__enter__())
        for place in range(trees):
            self.trees.append(self._start_tree(place))
        for _ in range(producers):
            self.producers.append(self._start_producer())

    def _start_tree(self, place: int) -> Tree:
        count, options, environ = TREES[place % len(TREES)]
        proxy = self.proxies[place]
        url = (proxy.url, proxy.unix_url)[place % 2]
        environ = {**environ, "DJANGO_SETTINGS_MODULE": SETTINGS, "REDIS_URL": url, HOSTNAME: f"host-{place}"}
        return Tree(self.folder / f"tree-{place}.log", count, options, environ)

    def _start_producer(self) -> Producer:
        return Producer(self.folder, next(self._names), self._seed, self.proxies[-1].url)

    @property
    def workers(self) -> int:
        """How many there are when all is well."""
        return sum(tree.count for tree in self.trees)

    def worker_pids(self) -> list[int]:
        return [pid for tree in self.trees for pid in tree.workers()]

    def job_pids(self) -> list[int]:
        """Return the processes that perform a job for a worker, or that a job runs."""
        return [child for pid in self.worker_pids() for child in children(pid)]

    def waiting(self) -> list[tuple[str, bytes]]:
        """Return all payloads that wait, with their queues."""
        return [
            (queue, text)
            for queue in QUEUES
            for text in cast("list[bytes]", self.client.lrange(KEYS.queue(queue), 0, -1))
        ]

    def revive(self) -> None:
        """Start again what has ended; what nobody told to end is remembered."""
        for tree in self.trees:
            if not tree.is_running:
                self._note_end(tree.log_path.name, tree)
                tree.destroy()
                tree.start()
        for place, producer in enumerate(self.producers):
            if not producer.is_running:
                self._note_end(producer.name, producer)
                self.producers[place] = self._start_producer()

    def _note_end(self, name: str, ended: Tree | Producer) -> None:
        if not ended.may_end:
            self.ended_by_themselves.append(f"{name} ended by itself: status {ended.process.returncode}")

    def settles(self, seconds: float) -> bool:
        """Wait until all workers are there, nobody else is, and jobs are performed; tell whether they are."""
        before = ledger.size(ledger.BEGAN)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.revive()
            with suppress(redis.RedisError):
                if ledger.size(ledger.BEGAN) > before and self.is_whole():
                    return True
            time.sleep(0.1)
        return False

    def is_whole(self) -> bool:
        """Tell whether each worker has a run that lives, and no other run is left."""
        if not all(tree.is_whole() for tree in self.trees):
            return False
        now, micros = self.client.time()
        oldest = (now + micros / 1e6 - FRESH_SECONDS) * 1000
        runs = cast(
            "list[tuple[bytes, float]]",
            self.client.zrange(KEYS.runs, 0, -1, withscores=True, score_cast_func=float),
        )
        return len(runs) == self.workers and all(heartbeat > oldest for _, heartbeat in runs)

    def all_runs(self) -> set[bytes]:
        return set(cast("list[bytes]", self.client.zrange(KEYS.runs, 0, -1)))

    def runs_of(self, tree: Tree) -> set[bytes]:
        """Return the runs of a tree's workers that Redis knows of."""
        pids = {str(pid).encode() for pid in tree.workers()}
        return {run for run in self.all_runs() if self._pid_of(run) in pids}

    def _pid_of(self, run: bytes) -> bytes:
        """Return the pid in the id of a run's worker, which is host:pid:queues."""
        name = cast("bytes | None", self.client.hget(KEYS.inflight(run.decode()), "worker"))
        return name.split(b":")[1] if name else b""

    def stop_producers(self) -> None:
        for producer in self.producers:
            producer.kill()
            producer.process.wait()
        self.producers.clear()

    def close(self) -> None:
        """End everything that is left."""
        self.stop_producers()
        for tree in self.trees:
            tree.signal_all(signal.SIGCONT)
            tree.destroy()
        self.client.close()
        for proxy in self.proxies:
            proxy.__exit__(None, None, None)
        if self.redis.is_running:
            self.redis.thaw()
            self.redis.kill()
