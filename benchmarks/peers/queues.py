"""The queues that are compared: how each is started, with two worker processes, and asked to perform."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

PYTHON = sys.executable
BIN = os.path.dirname(PYTHON)
PACKAGE = "benchmarks.peers"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One queue in one way of running it."""

    name: str
    package: str
    """What its version is looked up by; "" for a program that is no Python package."""
    enqueue: Sequence[str]
    """What enqueues jobs, given their kind and number."""
    workers: Sequence[Sequence[str]]
    """The processes to start."""
    told: str
    """The settings that are not its defaults."""
    environ: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, int]
    """How many of each kind take it some seconds."""

    @property
    def version(self) -> str:
        """Its version, "" where it is not installed."""
        if not self.package:
            return _sidekiq_version()
        try:
            return version(self.package)
        except PackageNotFoundError:
            return ""


def _sidekiq_version() -> str:
    if shutil.which("sidekiq") is None:
        return ""
    said = subprocess.run(["sidekiq", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1]


def _jobs(noop: int, cpu: int, sleep: int) -> dict[str, int]:
    return {"noop": noop, "cpu": cpu, "sleep": sleep}


def _module(name: str) -> list[str]:
    return [PYTHON, "-m", f"{PACKAGE}.{name}"]


def _jobworker(*options: str) -> list[str]:
    return [PYTHON, "-m", "django", "jobworker", "-v", "0", "--queues", "work", "--count", "2", *options]


OURS = {"DJANGO_SETTINGS_MODULE": f"{PACKAGE}.settings"}
CELERY = ["worker", "-c", "2", "-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
RQ_WORKER = [PYTHON, "-m", f"{PACKAGE}.rq_worker", "worker", "work", "--quiet", "--path", ".", "-u"]
SIDEKIQ = f"{os.path.dirname(__file__)}/sidekiq_app.rb"


def peers(url: str) -> list[Peer]:
    """Return all queues, for the Redis of a URL."""
    rq = [*RQ_WORKER, url]
    celery = [f"{BIN}/celery", "-A", f"{PACKAGE}.celery_app", *CELERY]
    taskiq = [
        f"{BIN}/taskiq",
        "worker",
        f"{PACKAGE}.taskiq_app:broker",
        "--workers",
        "2",
        "--log-level",
        "ERROR",
    ]
    huey = [
        PYTHON,
        "-m",
        "huey.bin.huey_consumer",
        f"{PACKAGE}.huey_app.huey",
        "-k",
        "process",
        "-w",
        "2",
        "-q",
    ]
    return [
        Peer(
            name="this library",
            package="django-jobqueue",
            enqueue=_module("jobs"),
            workers=[_jobworker()],
            told="heartbeat 1 s, dead after 6 s",
            environ=OURS,
            jobs=_jobs(300_000, 6_000, 800),
        ),
        Peer(
            name="this library, --threads 10",
            package="django-jobqueue",
            enqueue=_module("jobs"),
            workers=[_jobworker("--threads", "10")],
            told="heartbeat 1 s, dead after 6 s",
            environ=OURS,
            jobs=_jobs(40_000, 6_000, 6_000),
        ),
        Peer(
            name="this library, --jobs-per-fork 1",
            package="django-jobqueue",
            enqueue=_module("jobs"),
            workers=[_jobworker("--jobs-per-fork", "1")],
            told="heartbeat 1 s, dead after 6 s",
            environ=OURS,
            jobs=_jobs(1_500, 1_500, 600),
        ),
        Peer(
            name="Sidekiq",
            package="",
            enqueue=["ruby", SIDEKIQ],
            workers=[["sidekiq", "-r", SIDEKIQ, "-c", "10", "-q", "work"]] * 2,
            told="two processes of 10 threads",
            jobs=_jobs(40_000, 6_000, 6_000),
        ),
        Peer(
            name="Celery",
            package="celery",
            enqueue=_module("celery_app"),
            workers=[celery],
            told="prefork, no results, no gossip, mingle and heartbeat",
            jobs=_jobs(8_000, 4_000, 800),
        ),
        Peer(
            name="Celery, acks_late",
            package="celery",
            enqueue=_module("celery_app"),
            workers=[celery],
            told="the same; rejected on worker lost; visibility timeout 6 s, looked at each second",
            environ={"BENCH_ACKS_LATE": "1"},
            jobs=_jobs(8_000, 4_000, 800),
        ),
        Peer(
            name="RQ, Worker",
            package="rq",
            enqueue=_module("rq_jobs"),
            workers=[rq] * 2,
            told="no results kept, timeout 5 s",
            jobs=_jobs(600, 600, 400),
        ),
        Peer(
            name="RQ, SimpleWorker",
            package="rq",
            enqueue=_module("rq_jobs"),
            workers=[[*rq, "-w", "rq.SimpleWorker"]] * 2,
            told="no results kept, timeout 5 s",
            jobs=_jobs(4_000, 3_000, 800),
        ),
        Peer(
            name="Dramatiq",
            package="dramatiq",
            enqueue=_module("dramatiq_app"),
            workers=[[f"{BIN}/dramatiq", f"{PACKAGE}.dramatiq_app", "-p", "2"]],
            told="8 threads each, its default; heartbeat timeout 6 s",
            jobs=_jobs(10_000, 5_000, 4_000),
        ),
        Peer(
            name="Huey",
            package="huey",
            enqueue=_module("huey_app"),
            workers=[huey],
            told="process workers, no results",
            jobs=_jobs(10_000, 5_000, 800),
        ),
        Peer(
            name="taskiq, list",
            package="taskiq-redis",
            enqueue=_module("taskiq_app"),
            workers=[taskiq],
            told="ListQueueBroker",
            jobs=_jobs(15_000, 5_000, 4_000),
        ),
        Peer(
            name="taskiq, stream",
            package="taskiq-redis",
            enqueue=_module("taskiq_app"),
            workers=[taskiq],
            told="RedisStreamBroker, idle timeout 6 s",
            environ={"BENCH_STREAM": "1"},
            jobs=_jobs(10_000, 5_000, 4_000),
        ),
        Peer(
            name="django-q2",
            package="django-q2",
            enqueue=_module("django_q_jobs"),
            workers=[[PYTHON, "-m", "django", "qcluster"]],
            told="Redis broker, no results kept; timeout 5 s, retry 6 s",
            environ={**OURS, "BENCH_DATABASE": "django-q.sqlite3"},
            jobs=_jobs(4_000, 3_000, 800),
        ),
    ]
