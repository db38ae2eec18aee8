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


class Pair:
    """The two ends of one connection through the proxy, with a thread for each direction."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.threads = 2
        """How many still use it."""

    def cut(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.client.close()
        self.server.close()


class TcpProxy:
    """Passes bytes on to a Redis, until told to misbehave.

    It listens on TCP (``url``) and on a unix socket of its own (``unix_url``). Use it as a context manager.
    """

    def __init__(self, upstream: str | tuple[str, int]) -> None:
        """``upstream`` is where the Redis listens: the path of a unix socket, or host and port."""
        self._upstream = upstream
        self._lock = threading.Lock()
        self._pairs: set[Pair] = set()
        self._open = threading.Event()
        self._replies_left: int | None = None
        self.delay_seconds = 0.0
        """How long each piece of a reply is held back."""
        self.request_delay_seconds = 0.0
        """How long each piece of a request is held back; it arrives although its sender has given up."""
        self.refuses = False
        """Close each new connection at once."""
        self.connects = 0
        """How many connections it has been asked for."""
        self.cuts = 0
        """How many connections it has cut in a reply."""

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
            pairs = list(self._pairs)
        for pair in pairs:
            pair.cut()

    def refuse(self) -> None:
        """Cut every connection and refuse new ones, until ``accept``."""
        self.refuses = True
        self.cut()

    def accept(self) -> None:
        self.refuses = False

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
        try:
            if self.refuses:
                raise ConnectionRefusedError
            pair = Pair(client, self._reach_upstream())
        except OSError:
            client.close()
            return
        with self._lock:
            self._pairs.add(pair)
        threading.Thread(target=self._pass_on, args=[pair], daemon=True).start()
        threading.Thread(target=self._pass_back, args=[pair], daemon=True).start()

    def _reach_upstream(self) -> socket.socket:
        if not isinstance(self._upstream, str):
            return socket.create_connection(self._upstream)
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._upstream)
        except OSError:
            server.close()
            raise
        return server

    def _pass_on(self, pair: Pair) -> None:
        with suppress(OSError):
            while data := pair.client.recv(CHUNK_BYTES):
                time.sleep(self.request_delay_seconds)
                pair.server.sendall(data)
        self._leave(pair)

    def _pass_back(self, pair: Pair) -> None:
        with suppress(OSError):
            while data := pair.server.recv(CHUNK_BYTES):
                time.sleep(self.delay_seconds)
                with self._lock:
                    left, self._replies_left = self._replies_left, None
                if left is not None:
                    pair.client.sendall(data[: min(left, len(data) - 1)])
                    self.cuts += 1
                    break
                pair.client.sendall(data)
        self._leave(pair)

    def _leave(self, pair: Pair) -> None:
        """Cut a connection; the last of its threads closes it, since its numbers are soon others'."""
        pair.cut()
        with self._lock:
            pair.threads -= 1
            if pair.threads == 0:
                pair.close()
                self._pairs.discard(pair)
