"""The demo blog as a user starts it: its own database and Redis, a web server and workers."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

from tests.redisserver import RedisServer

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STOP_SECONDS = 15


class DemoSite:
    """One demo in a folder of its own; ``start`` prepares it and returns when its home page answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.redis = RedisServer(folder)
        self.database = folder / "db.sqlite3"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *, workers: int = 2) -> None:
        self.redis.start()
        subprocess.run(self.manage("prepare_demo"), env=self.environment, cwd=ROOT, check=True)
        self.run(
            "web", ["-m", "gunicorn", "demo_blog.wsgi", "--bind", f"127.0.0.1:{self.port}", "--threads", "4"]
        )
        self.run("worker", ["manage.py", "jobworker", "--count", str(workers)])
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"The demo does not start: {self.log('web')[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End all processes; the workers' Redis goes last."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(timeout=STOP_SECONDS)
        self.redis.kill()

    def manage(self, *args: str) -> list[str]:
        return [sys.executable, "manage.py", *args]

    def run(self, name: str, command: list[str]) -> None:
        """Start a process that ends with the site; what it says goes to ``name``.log."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command], env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )
        self._processes.append(process)

    def log(self, name: str) -> str:
        """Return what a process of the site has said so far."""
        return (self.folder / f"{name}.log").read_text()

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "demo_blog.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": self.redis.url,
            "PORT": str(self.port),
            "DEBUG": "1",
            "SECRET_KEY": "only for tests",
        }

    def texts(self, table: str) -> list[str]:
        """Return all texts of a table, read without Django."""
        with closing(sqlite3.connect(self.database)) as connection:
            return [text for (text,) in connection.execute(f"SELECT text FROM demo_blog_{table}")]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
