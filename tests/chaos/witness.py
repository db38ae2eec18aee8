"""Looks at Redis all the while: no job stands in two places at once."""

from __future__ import annotations

import re
import threading
from collections import Counter
from contextlib import suppress
from typing import cast

import redis

from jobqueue.keys import Keys
from tests.chaos.jobs import QUEUES

KEYS = Keys("resque:")
LOOK_SECONDS = 0.1
ID = re.compile(rb'"id":"([^"]+)"')
ALL = """
local found = redis.call("ZRANGE", ARGV[2], 0, -1)
for _, queue in ipairs(KEYS) do
  for _, text in ipairs(redis.call("LRANGE", queue, 0, -1)) do
    found[#found + 1] = text
  end
end
for _, inflight in ipairs(redis.call("KEYS", ARGV[1])) do
  for _, text in ipairs(redis.call("HVALS", inflight)) do
    found[#found + 1] = text
  end
end
return found
"""
"""All payloads that wait, for a worker or for their moment, or are in flight, in one moment."""


class Witness:
    """A thread that looks, and keeps what it has seen. Use it as a context manager."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.looks = 0
        self.doubles: dict[bytes, bytes] = {}
        """Payloads that were seen twice at once, by id."""

    def __enter__(self) -> Witness:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            with suppress(redis.RedisError):
                self.look()

    def look(self) -> None:
        """Look once. Raises redis-py's errors."""
        queues = map(KEYS.queue, QUEUES)
        others = (KEYS.inflight("*"), KEYS.later)
        texts = cast("list[bytes]", self._client.eval(ALL, len(QUEUES), *queues, *others))
        ids = [(match[1], text) for text in texts if (match := ID.search(text))]
        counts = Counter(each for each, _ in ids)
        self.doubles |= {each: text for each, text in ids if counts[each] > 1}
        self.looks += 1
