"""A proxy between a test's processes and their Redis, which can do what networks do."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

CHUNK_BYTES = 65536


class TcpProxy:
    """Passes bytes on to the Redis on a unix socket, until told to misbehave.

    It listens on TCP (``url``) and on a unix socket of its own (``unix_url``). Use it as a context manager.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._open = threading.Event()
        self._replies_left: int | None = None
        self.delay_seconds = 0.0
        """How long each piece of a reply is held back."""
        self.refuses = False
        """Close each new connection at once."""
        self.connects = 0
        """How many connections it has been asked for."""
        self.cuts = 0
        """How many connections it has cut."""

    def __enter__(self) -> TcpProxy:
        self._folder = tempfile.mkdtemp(prefix="jobqueue-proxy-")
        self.path = os.path.join(self._folder, "redis.sock")
        self._listeners = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        self._listeners[1].bind(self.path)
        self._listeners[1].listen(128)
        self.port: int = self._listeners[0].getsockname()[1]
        self._open.set()
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=[listener], daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.clear()
        for listener in self._listeners:
            # Closing alone would leave the thread in its accept
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()
        Path(self.path).unlink(missing_ok=True)
        os.rmdir(self._folder)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def unix_url(self) -> str:
        return f"unix://{quote(self.path)}"

    def cut(self) -> None:
        """Cut every connection now."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            self._end(pair)

    def cut_in_reply(self, after_bytes: int) -> None:
        """Cut the connection on which the next reply comes after so many bytes of it; 0 drops it whole.

        Redis has done by then what it was asked to do.
        """
        self._replies_left = after_bytes

    def _accept(self, listener: socket.socket) -> None:
        while self._open.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connects += 1
            self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            if self.refuses:
                raise ConnectionRefusedError
            server.connect(self._upstream)
        except OSError:
            client.close()
            server.close()
            return
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        threading.Thread(target=self._pass_on, args=[pair, client, server], daemon=True).start()
        threading.Thread(target=self._pass_back, args=[pair, server, client], daemon=True).start()

    def _pass_on(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, to: socket.socket
    ) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                to.sendall(data)
        self._drop(pair)

    def _pass_back(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, to: socket.socket
    ) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                time.sleep(self.delay_seconds)
                with self._lock:
                    left, self._replies_left = self._replies_left, None
                if left is not None:
                    to.sendall(data[: min(left, len(data) - 1)])
                    self.cuts += 1
                    break
                to.sendall(data)
        self._drop(pair)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        self._end(pair)

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        for end in pair:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
