"""A master, a replica and Sentinels that watch them, as real processes."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from jobqueue.redisbinary import find_binary
from tests.redisserver import START_SECONDS, RedisServer, free_port

SERVICE = "mymaster"
S = TypeVar("S", bound=RedisServer)
DOWN_AFTER_MS = 1000
"""The time without an answer after which a Sentinel takes the master for down."""


class Sentinel(RedisServer):
    """One Sentinel; ``lines`` are further lines of its configuration."""

    def __init__(self, folder: Path, master_port: int, quorum: int, *lines: str) -> None:
        super().__init__(folder)
        self.port = free_port()
        config = (
            f"port {self.port}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {master_port} {quorum}",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 4000",
            *lines,
        )
        (folder / "sentinel.conf").write_text("\n".join(config) + "\n")

    def knows(self, *, replicas: int, others: int) -> bool:
        """Tell whether it has found so many replicas, and so many other Sentinels."""
        with self.client() as client:
            state = client.sentinel_masters()[SERVICE]
        return bool((state["num-slaves"], state["num-other-sentinels"]) == (replicas, others))

    def _command(self) -> list[str]:
        setpriv = shutil.which("setpriv")
        tied = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        own = ["--unixsocket", self.path, "--logfile", str(self._log)]
        return [*tied, find_binary().path, str(self.folder / "sentinel.conf"), "--sentinel", *own]


@dataclass(frozen=True)
class Failover:
    """What is needed to lose a master and go on."""

    master: RedisServer
    replica: RedisServer
    sentinels: list[Sentinel]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}/0"


@contextmanager
def running_failover() -> Iterator[Failover]:
    """Start a master, a replica and three Sentinels that know each other."""
    with ExitStack() as stack:
        port = free_port()
        saved = ["--appendonly", "yes", "--appendfsync", "everysec"]
        master = stack.enter_context(_running(RedisServer(_folder(stack), "--port", str(port), *saved)))
        copies = ["--port", str(free_port()), "--replicaof", "127.0.0.1", str(port)]
        replica = stack.enter_context(_running(RedisServer(_folder(stack), *copies, *saved)))
        replica.wait_for_master()
        sentinels = stack.enter_context(running_sentinels(3, port))
        _wait_until_known(sentinels)
        yield Failover(master, replica, sentinels)


@contextmanager
def running_sentinels(count: int, master_port: int, *lines: str) -> Iterator[list[Sentinel]]:
    """Start Sentinels of which most must agree; ``lines`` are further lines of their configuration."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(_running(Sentinel(_folder(stack), master_port, count // 2 + 1, *lines)))
            for _ in range(count)
        ]


def _wait_until_known(sentinels: list[Sentinel]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not all(sentinel.knows(replicas=1, others=len(sentinels) - 1) for sentinel in sentinels):
        if time.monotonic() > deadline:
            raise RuntimeError("the Sentinels do not find each other")
        time.sleep(0.02)


def _folder(stack: ExitStack) -> Path:
    # Not pytest's own folders: their paths can be too long for a unix socket.
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-test-"))
    stack.callback(shutil.rmtree, folder)
    return folder


@contextmanager
def _running(server: S) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        server.kill()
