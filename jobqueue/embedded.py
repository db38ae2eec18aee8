"""The Redis server that a site runs for itself while nobody has named another.

One server per project directory, all of it in that directory's folder ``.jobqueue``:

    starting.lock   held for a moment by whoever starts or stops the server
    running.lock    held by the server as long as it lives, whatever ends it
    socket          the path of its unix socket
    redis.log, redis.pid and Redis's append-only file
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from jobqueue.address import RedisAddress
from jobqueue.exceptions import RedisUnreachable
from jobqueue.redisbinary import WAY_OUT, RedisBinary, find_binary
from jobqueue.socketpath import short_name, socket_path

FOLDER = ".jobqueue"
START_SECONDS = 10.0
STOP_SECONDS = 30.0
ANSWER_SECONDS = 2.0
POLL_SECONDS = 0.01

_addresses: dict[Path, RedisAddress] = {}
"""Servers that this process has found or started: one that is stopped later stays stopped."""


def address() -> RedisAddress:
    """Return the address of this project's server, which the first call of a process starts if need be.

    Raises ImproperlyConfigured if none can be started here, RedisUnreachable if it does not answer.
    """
    project = project_directory()
    if project not in _addresses:
        server = EmbeddedServer(project)
        server.start()
        _addresses[project] = server.address
    return _addresses[project]


def project_directory() -> Path:
    """Return the directory whose server this process uses: BASE_DIR, else that of manage.py."""
    if base := getattr(django_settings, "BASE_DIR", None):
        return Path(base).resolve()
    script = Path(sys.argv[0])
    return script.resolve().parent if script.name == "manage.py" else Path.cwd()


class EmbeddedServer:
    """The server of one project directory, whichever process has started it."""

    def __init__(self, project: Path) -> None:
        self.folder = project / FOLDER
        self.log = self.folder / "redis.log"

    @property
    def address(self) -> RedisAddress:
        """Where the server listens, or would."""
        recorded = Path(_read(self.folder / "socket"))
        # Any other directory came with a copy of a project, and its server is the original's.
        if recorded.name and recorded.parent.name in {"", short_name(self.folder)}:
            return RedisAddress(path=str(self.folder / recorded))
        return RedisAddress(path=socket_path(self.folder))

    @property
    def pid(self) -> int | None:
        """The server's process id; None if it does not run."""
        if not self.folder.is_dir():
            return None
        with self._starting_lock():
            return self._recorded_pid() if self._is_running() else None

    def start(self) -> bool:
        """Start the server if it does not run, and wait for its answer; return False if it ran already.

        Raises ImproperlyConfigured if there is no Redis to start, RedisUnreachable if it does not answer.
        """
        if self._ask("PING") == "+PONG":
            return False
        self._make_folder()
        with self._starting_lock():
            if self._is_running() and self._answers():
                return False
            self._launch(find_binary())
            if not self._answers():
                raise RedisUnreachable(f"The embedded Redis ended at once: {self._last_log_line()}")
        return True

    def stop(self) -> bool:
        """Stop the server, its data written, and wait for its end; return False if it did not run.

        Raises RedisUnreachable if it does not end.
        """
        if not self.folder.is_dir():
            return False
        with self._starting_lock():
            if not self._is_running():
                return False
            self._shut_down()
            if not _wait(STOP_SECONDS, lambda: not self._is_running()):
                raise RedisUnreachable(f"The embedded Redis does not stop: {self._last_log_line()}")
        return True

    def _launch(self, binary: RedisBinary) -> None:
        self._refuse_newer_data(binary)
        path = socket_path(self.folder)
        Path(path).unlink(missing_ok=True)
        (self.folder / "socket").write_text(path.removeprefix(f"{self.folder}/"))
        with _locked(self.folder / "running.lock") as lock:
            # The server inherits the lock, and so holds it until its end, kill -9 included.
            told = subprocess.run(
                binary.command(path),
                cwd=self.folder,
                pass_fds=[lock],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        if told.returncode:
            raise RedisUnreachable(f"The embedded Redis did not start: {told.stdout.strip()}")

    def _refuse_newer_data(self, binary: RedisBinary) -> None:
        if binary.version < (7, 0) and (self.folder / "appendonlydir").exists():
            raise ImproperlyConfigured(
                f"The data in {self.folder} was written by Redis 7 or newer, and {binary.path} is "
                f"{'.'.join(map(str, binary.version))}: it would start empty. Put the newer redis-server on "
                f"PATH, or delete the folder if its data is not needed."
            )

    def _answers(self) -> bool:
        """Wait for the server's answer; return False if it ends, raise RedisUnreachable after some time."""
        if not _wait(START_SECONDS, lambda: self._ask("PING") == "+PONG" or not self._is_running()):
            raise RedisUnreachable(
                f"The embedded Redis gives no answer in {START_SECONDS:.0f} seconds: {self._last_log_line()}"
            )
        return self._is_running()

    def _last_log_line(self) -> str:
        lines = _read(self.log).splitlines() or ["nothing is logged"]
        return f"{lines[-1]} (more in {self.log})."

    def _ask(self, command: str) -> str:
        """Return the first line of the answer; empty if there is none.

        Spoken without redis-py, whose connections come from a module that imports this one.
        """
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(self.address.path)
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(1024).decode(errors="replace").partition("\r\n")[0]
        return ""

    def _shut_down(self) -> None:
        """Ask the server to write its data and end; the signal needs no socket, whose file may be gone."""
        if pid := self._recorded_pid():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        else:
            self._ask("SHUTDOWN")

    def _recorded_pid(self) -> int | None:
        recorded = _read(self.folder / "redis.pid").strip()
        return int(recorded) if recorded.isdecimal() else None

    def _is_running(self) -> bool:
        """Tell whether a server holds the lock; asked only under the starting lock, as it takes it."""
        try:
            with _locked(self.folder / "running.lock"):
                return False
        except BlockingIOError:
            return True

    def _starting_lock(self) -> AbstractContextManager[int]:
        return _locked(self.folder / "starting.lock", wait=True)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")
        except OSError as error:
            raise ImproperlyConfigured(
                f"An embedded Redis cannot keep its data in {self.folder}: {error.strerror}. {WAY_OUT}"
            ) from error


@contextmanager
def _locked(path: Path, *, wait: bool = False) -> Iterator[int]:
    """Hold the lock of a file and yield its descriptor; raises BlockingIOError if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(seconds: float, condition: Callable[[], bool]) -> bool:
    """Return whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
