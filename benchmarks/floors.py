"""Bare loops that do the least of what a job queue must do: what no worker in Python can be faster than.

Run as ``python -m benchmarks.floors NAME …`` in a process of its own.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import django
import hiredis
import redis

QUEUE = "resque:queue:bench"
BELL = "resque:wake:bench"
INFLIGHT = "bench:inflight"
PROCESSED = "resque:stat:processed"
GO = "bench:go"
HAND = "bench:hand"
TIMES = "bench:times"
BATCH = 50

CLAIM = """
if #ARGV > 1 then
  redis.call("INCRBY", KEYS[3], redis.call("HDEL", KEYS[2], unpack(ARGV, 2)))
end
local payloads = redis.call("LPOP", KEYS[1], 50)
if not payloads then
  return {}
end
local fields = {}
for place, payload in ipairs(payloads) do
  fields[2 * place - 1] = ARGV[1] + place - 1
  fields[2 * place] = payload
end
redis.call("HSET", KEYS[2], unpack(fields))
return payloads
"""


class Wire:
    """A socket to Redis with nothing around it but hiredis."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._reader = hiredis.Reader()

    def __call__(self, *parts: Any) -> Any:
        self._socket.sendall(hiredis.pack_command(parts))
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(65536))
        if isinstance(reply, Exception):
            raise reply
        return reply

    def exchange(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Send commands together and return their answers."""
        self._socket.sendall(b"".join(map(hiredis.pack_command, map(tuple, commands))))
        replies: list[Any] = []
        while len(replies) < len(commands):
            while (reply := self._reader.gets()) is not False:
                replies.append(reply)
            if len(replies) < len(commands):
                self._reader.feed(self._socket.recv(65536))
        return replies

    def close(self) -> None:
        self._socket.close()


class BareLoop:
    """Acknowledges a batch and claims the next in one round trip, and calls a function for each payload."""

    def __init__(self, wire: Wire, function: Callable[[bytes], object]) -> None:
        self._wire = wire
        self._function = function
        self._sha = wire("SCRIPT", "LOAD", CLAIM)
        self._inflight = f"{INFLIGHT}:{os.getpid()}"
        self._first = 1
        self._done: Sequence[int] = ()

    def run(self) -> None:
        """Return when the queue is empty and all is acknowledged."""
        while self.turn():
            pass

    def turn(self) -> bool:
        payloads = self.exchange()
        for payload in payloads:
            self._function(payload)
        return bool(payloads)

    def exchange(self) -> list[bytes]:
        """Do the round trip alone."""
        payloads: list[bytes] = self._wire(
            "EVALSHA", self._sha, 3, QUEUE, self._inflight, PROCESSED, self._first, *self._done
        )
        self._done = range(self._first, self._first + len(payloads))
        self._first += len(payloads)
        return payloads


def nothing(*_: object) -> None:
    pass


def decoded(payload: bytes) -> None:
    nothing(*json.loads(payload)["args"])


def loop(path: str, function: Callable[[bytes], object] = nothing) -> None:
    """Wait for the start, then drain the queue, again and again."""
    wire = Wire(path)
    bare = BareLoop(wire, function)
    while True:
        wire("BLPOP", GO, 0)
        bare.run()


def decoding_loop(path: str) -> None:
    loop(path, decoded)


def hand_over(path: str, key: str = HAND) -> None:
    """Tell when what was handed over has arrived."""
    wire = Wire(path)
    while True:
        wire("BLPOP", key, 0)
        wire("RPUSH", TIMES, time.perf_counter_ns())


def hear(path: str) -> None:
    """Tell when the doorbell of the queue has rung."""
    hand_over(path, BELL)


def hand_over_by_redis_py(path: str) -> None:
    """Do the same with redis-py on both sides."""
    client = redis.Redis(unix_socket_path=path)
    while True:
        client.blpop([HAND])
        client.rpush(TIMES, time.perf_counter_ns())


def hand_over_and_claim(path: str) -> None:
    """Do the same, with an exchange in between that takes a job."""
    wire = Wire(path)
    bare = BareLoop(wire, nothing)
    while True:
        wire("BLPOP", HAND, 0)
        bare.exchange()
        wire("RPUSH", TIMES, time.perf_counter_ns())


def plain_site(_: str) -> None:
    """Be a Django process that has set up the site, and say so."""
    django.setup()
    print("ready", flush=True)
    time.sleep(3600)


def fork(count: str) -> None:
    """Print the microseconds of fork, _exit and waitpid in a process that has loaded what a worker has."""
    django.setup()
    gc.freeze()
    began = time.perf_counter()
    for _ in range(int(count)):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    print((time.perf_counter() - began) / int(count) * 1e6)


FLOORS = {
    each.__name__: each
    for each in (
        loop,
        decoding_loop,
        hand_over,
        hand_over_and_claim,
        hand_over_by_redis_py,
        hear,
        plain_site,
        fork,
    )
}

if __name__ == "__main__":
    name, argument = sys.argv[1:]
    FLOORS[name](argument)
