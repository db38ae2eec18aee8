"""The ground that all measurements share: a private Redis, and processes that work on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.floors import Wire
from benchmarks.jobs import QUEUE, noop
from jobqueue.connection import client, keys
from jobqueue.ids import new_id
from jobqueue.payload import Job, encode
from tests.redisserver import RedisServer

ROOT = Path(__file__).resolve().parent.parent
APPEND_ONLY = {"off": (), "everysec": ("--appendonly", "yes", "--appendfsync", "everysec")}
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.002
BULK = 1000
"""So many jobs are appended in one go."""


class Ground:
    """A private Redis that REDIS_URL points to; emptied before each measurement."""

    def __init__(self, server: RedisServer) -> None:
        self.path = server.path
        self.url = server.url
        self.redis = client()
        self.keys = keys()

    @property
    def redis_version(self) -> str:
        return str(self.redis.info("server")["redis_version"])

    @property
    def redis_cpu_seconds(self) -> float:
        """What the server has used of a processor so far."""
        info = self.redis.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    @property
    def redis_data_bytes(self) -> int:
        """What the server holds in memory, without its buffers for clients."""
        info = self.redis.info("memory")
        return int(info["used_memory"]) - int(info["mem_clients_normal"])

    @property
    def processed(self) -> int:
        return int(self.redis.get(self.keys.stat("processed")) or 0)

    def empty(self) -> None:
        self.redis.flushdb()

    def fill(self, jobs: int) -> None:
        noop.enqueue_many(call(number) for number in range(jobs))

    def payloads(self, jobs: int) -> list[bytes]:
        """Return what stands in the queue after ``fill``, which is taken out again."""
        self.empty()
        self.fill(jobs)
        payloads: Any = self.redis.lrange(self.keys.queue(QUEUE), 0, -1)
        self.empty()
        return list(payloads)

    def wait_until(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not what():
            if time.monotonic() > deadline:
                sys.exit(f"Nothing has happened for {PATIENCE_SECONDS} s; are the workers alive?")
            time.sleep(POLL_SECONDS)

    def wait_for_idle(self, processes: int) -> None:
        """Return when so many processes block on Redis for something to do."""
        self.wait_until(lambda: self.redis.info("clients")["blocked_clients"] == processes)

    def noted(self, times: str) -> int:
        """Return the moment that a process has noted in a list, once it has."""
        self.wait_until(lambda: bool(self.redis.llen(times)))
        moment: Any = self.redis.lpop(times)
        return int(moment)

    def stuff(self, jobs: int, queue: str = QUEUE) -> None:
        """Append no-op jobs to a queue, faster than anyone enqueues them: all have one id."""
        payload = encode(Job(noop.name, list(call(0)), {}, new_id()))
        with closing(Wire(self.path)) as wire:
            for _ in range(jobs // BULK):
                wire("RPUSH", self.keys.queue(queue), *[payload] * BULK)
        self.redis.sadd(self.keys.queues, queue)


def workers(count: int, *options: str, queues: Sequence[str] = (QUEUE,)) -> AbstractContextManager[None]:
    """Run worker processes, children of one ``manage.py jobworker``."""
    return running([jobworker(count, *options, queues=queues)])


def jobworker(
    count: int, *options: str, queues: Sequence[str] = (QUEUE,), scheduler: bool = False
) -> list[str]:
    """Return what starts a supervisor as a process of a Python module.

    Without a scheduler, unless one is wanted: it waits at a doorbell, as idle workers do.
    """
    named = ["--queues", ",".join(queues), "--count", str(count)]
    return ["django", "jobworker", "-v", "0", *named, *options, *([] if scheduler else ["--no-scheduler"])]


def some_queues(count: int) -> list[str]:
    """Return the names of so many queues; all but the last, which jobs go to, stay empty."""
    return [*(f"empty-{number:04}" for number in range(1, count)), QUEUE]


def bare_processes(count: int, name: str, path: str) -> AbstractContextManager[None]:
    """Run processes of one of the bare loops in ``floors``."""
    return running([["benchmarks.floors", name, path]] * count)


def call(number: int) -> tuple[Any, ...]:
    """Return three small arguments."""
    return number, "invoice", True


@contextmanager
def ground(append_only: str) -> Iterator[Ground]:
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-bench-"))
    server = RedisServer(folder, *APPEND_ONLY[append_only])
    os.environ["REDIS_URL"] = server.url
    os.environ.pop("REDIS_PROVIDER", None)
    try:
        server.start()
        yield Ground(server)
    finally:
        server.kill()
        shutil.rmtree(folder)


@contextmanager
def running(modules: list[list[str]]) -> Iterator[None]:
    """Run Python modules as processes, which are told to stop in the end."""
    with processes(modules):
        yield


@contextmanager
def processes(modules: list[list[str]], **environment: str) -> Iterator[list[int]]:
    """Do the same, and yield the pids."""
    env = {**os.environ, **environment}
    started = [subprocess.Popen([sys.executable, "-m", *module], cwd=ROOT, env=env) for module in modules]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=PATIENCE_SECONDS)
