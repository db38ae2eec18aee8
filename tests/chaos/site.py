"""What the chaos happens to: a Redis behind a proxy, trees of worker processes, and producers."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.chaos import ledger
from tests.process.conftest import ROOT, Jobworker, children
from tests.redisserver import RedisServer
from tests.tcpproxy import TcpProxy

SETTINGS = "tests.chaos.settings"
COMMON = ("--shutdown-timeout", "1", "--interval", "1")
TREES = (
    ("--queues", "quick,slow", "--count", "2"),
    ("--queues", "*", "--jobs-per-fork", "1"),
    ("--queues", "slow,quick", "--count", "2", "--jobs-per-fork", "40"),
)


class Tree(Jobworker):
    """A supervisor with its workers, which is started again whenever it ends."""

    may_end = False
    """The monkey has told it to end, or killed it."""

    def is_booted(self) -> bool:
        """Tell whether it hears signals: before that they end any process."""
        return bool(children(self.pid)) and "started" in self.log[self._log_before :]

    def start(self) -> None:
        self._log_before = len(self.log) if self.log_path.exists() else 0
        self.may_end = False
        super().start()

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            super().signal(number)

    def signal_all(self, number: int) -> None:
        with suppress(ProcessLookupError):
            super().signal_all(number)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


class Site:
    """All processes of a chaos run, in one folder."""

    def __init__(self, folder: Path, producers: int) -> None:
        self.folder = folder
        (folder / "redis").mkdir(parents=True)
        os.environ[ledger.FOLDER] = str(folder)
        # Redis alone decides what is durable: with less than `always` its own loss would count as ours
        durable = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
        self.redis = RedisServer(folder / "redis", *durable)
        self.redis.start()
        self.proxy = TcpProxy(self.redis.path).__enter__()
        self.client = redis.Redis.from_url(
            self.redis.url, protocol=2, socket_timeout=1, retry=Retry(NoBackoff(), 0)
        )
        urls = itertools.cycle([self.proxy.url, self.proxy.unix_url])
        self.trees = [
            Tree(
                folder / f"tree-{place}.log",
                (*COMMON, *options),
                {"DJANGO_SETTINGS_MODULE": SETTINGS, "REDIS_URL": next(urls)},
                ROOT,
            )
            for place, options in enumerate(TREES)
        ]
        self._names = map("p{}".format, itertools.count())
        self.producers = [self.start_producer() for _ in range(producers)]
        self.ended_by_themselves: list[str] = []

    def start_producer(self) -> subprocess.Popen[bytes]:
        with (self.folder / "producers.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "django", "produce", next(self._names)],
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, "REDIS_URL": self.proxy.url},
                stdout=log,
                stderr=log,
            )

    def revive(self) -> None:
        """Start again what has ended; a tree that nobody told to end is remembered."""
        for tree in self.trees:
            if not tree.is_running:
                if not tree.may_end:
                    self.ended_by_themselves.append(f"{tree.log_path.name}: status {tree.process.returncode}")
                tree.destroy()
                tree.start()
        for place, producer in enumerate(self.producers):
            if producer.poll() is not None:
                self.producers[place] = self.start_producer()

    def stop_producers(self) -> None:
        for producer in self.producers:
            producer.kill()
            producer.wait()
        self.producers.clear()

    def close(self) -> None:
        """End everything that is left."""
        self.stop_producers()
        for tree in self.trees:
            tree.signal_all(signal.SIGCONT)
            tree.destroy()
        self.client.close()
        self.proxy.__exit__(None, None, None)
        self.redis.thaw()
        self.redis.kill()
