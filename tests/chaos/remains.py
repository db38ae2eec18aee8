"""What is left in Redis, and in the logs, when every process has left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import redis

from jobqueue.failure import Failure
from jobqueue.keys import Keys
from tests.chaos import ledger
from tests.chaos.lives import RAISED, Life, ways_failed

KEYS = Keys("resque:")
LASTING = {KEYS.queues, KEYS.failed, KEYS.stat("processed"), KEYS.stat("failed")}
OF_RECURRING = {KEYS.fired, KEYS.last_enqueued, KEYS.paused_schedule}
FADING_SECONDS = 60
NEVER = -1
"""What Redis answers of a key that does not fade."""
ODD = re.compile(r" broke$|^Exception (?:in thread|ignored)|cannot be recovered|^\S*AssertionError")
"""Lines of a log that no fault excuses."""


def failures(client: redis.Redis) -> list[Failure]:
    """Return the whole Failed list."""
    return [Failure.parse(raw) for raw in cast("list[bytes]", client.lrange(KEYS.failed, 0, -1))]


def left_keys(client: redis.Redis) -> Iterator[str]:
    """Complain of keys that outlive their use."""
    for name in sorted(name.decode() for name in cast("list[bytes]", client.keys("*"))):
        if name not in LASTING | OF_RECURRING and not fades(client, name):
            yield f"the key {name} was left behind"


def fades(client: redis.Redis, name: str) -> bool:
    """Tell whether a key goes by itself soon, or has gone by now."""
    seconds = client.ttl(name)
    return seconds != NEVER and seconds <= FADING_SECONDS


def wrong_counts(client: redis.Redis, lives: dict[str, Life]) -> Iterator[str]:
    """Complain of counters that do not fit what has happened."""
    processed, failed = (
        int(cast("bytes", client.get(KEYS.stat(name))) or 0) for name in ("processed", "failed")
    )
    ways = ways_failed(failures(client))
    removed = [note.remark.split() for note in ledger.read(ledger.REMOVED)]
    # Each of those that raised is counted in the moment in which its entry is written
    least = ways[RAISED] + removed.count(["surely", RAISED])
    most = least + removed.count(["perhaps", RAISED])
    if not least <= failed <= most:
        yield f"{failed} jobs are counted as failed, and {least} to {most} have"

    # Each that has done its work is counted, unless it fell with its machine; each beginning at most once
    at_least = sum(bool(life.ended) and not life.is_failed and not life.removed for life in lives.values())
    at_most = sum(len(life.began) for life in lives.values()) + ways.total() + len(removed)
    if not at_least <= processed <= at_most:
        yield f"{processed} jobs are counted as processed, and {at_least} to {at_most} can have been"


def odd_lines(folder: Path) -> Iterator[str]:
    """Complain of what processes have said that none should say."""
    for path in sorted(folder.glob("*.log")):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if ODD.search(line):
                yield f"{path.name}:{number}: {line}"
