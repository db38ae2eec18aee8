"""Read the locks of unique jobs: who holds each, and where that job waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jobqueue.connection import keys
from jobqueue.inspection.jobs import SeenJob, read_job
from jobqueue.inspection.replies import ask, fetch, or_else
from jobqueue.keys import to_text
from jobqueue.locks import Holder, holder, lock_of

Command = Callable[..., Any]
"""Sends a command and returns its reply."""

SCAN_COUNT = 500
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLock:
    """One lock. ``value`` is what stands there, which names exactly this state of it."""

    digest: str
    value: bytes
    holder: Holder | None
    """None if no script of ours has written it."""

    @property
    def id(self) -> str:
        """Who holds it."""
        return self.holder.id if self.holder else ""

    @property
    def queue(self) -> str:
        """The queue in which its job waits, or has waited; empty if it waits for a moment."""
        return self.holder.queue if self.holder else ""

    @property
    def until(self) -> str:
        """What ends it, in words; empty if nobody knows."""
        lock = lock_of(self.holder.text) if self.holder else None
        return "" if lock is None else "it begins" if lock.ends_at_begin else "it has ended"

    @property
    def job(self) -> SeenJob:
        """The job that holds it."""
        return read_job(self.holder.text if self.holder else self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocksPage:
    """Some locks in no order; ``cursor`` is where to look on, 0 if everything was seen."""

    locks: list[SeenLock]
    count: int
    """How many there are in all."""
    cursor: int
    complaints: list[str]


def page(cursor: int, size: int = PAGE_SIZE) -> LocksPage:
    """Return about ``size`` locks from a cursor on, in one round trip."""
    key, complaints = keys().unique, list[str]()
    count, found = fetch([("HLEN", key), ("HSCAN", key, cursor, "COUNT", size)])
    following, pairs = or_else((b"0", []), found, key, complaints)
    return LocksPage(
        locks=sorted(_read(pairs), key=lambda lock: lock.digest),
        count=or_else(0, count, key, []),
        cursor=int(following),
        complaints=complaints,
    )


def get(digest: str) -> SeenLock | None:
    """Return one lock; None if nobody holds it."""
    value = ask("HGET", keys().unique, digest)
    return None if value is None else _seen(digest, value)


def every(command: Command = ask) -> Iterator[list[SeenLock]]:
    """Yield every lock that is there all the while, some at a time. Raises what ``command`` does."""
    cursor = b"0"
    while True:
        cursor, pairs = command("HSCAN", keys().unique, cursor, "COUNT", SCAN_COUNT)
        yield _read(pairs)
        if int(cursor) == 0:
            return


def _read(pairs: list[Any]) -> list[SeenLock]:
    return [_seen(to_text(digest), value) for digest, value in zip(pairs[::2], pairs[1::2], strict=True)]


def _seen(digest: str, value: bytes) -> SeenLock:
    return SeenLock(digest=digest, value=value, holder=holder(value))
