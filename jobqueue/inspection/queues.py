"""Read the queues and the payloads that wait in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobqueue.connection import keys
from jobqueue.inspection.jobs import SeenJob, read_job
from jobqueue.inspection.replies import ask, fetch, or_else
from jobqueue.keys import to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One known queue; ``complaint`` is set if its list cannot be read."""

    name: str
    size: int
    is_paused: bool = False
    complaint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """Some of a queue's jobs, next one first."""

    size: int
    jobs: list[SeenJob]
    is_known: bool
    is_paused: bool
    complaints: list[str]


def names() -> list[str]:
    """Return the names of the known queues, sorted by bytes."""
    return sorted_names(ask("SMEMBERS", keys().queues))


def sorted_names(members: Any) -> list[str]:
    """Decode names and sort them as Ruby does, by bytes."""
    return [to_text(name) for name in sorted(members)]


def size(queue: str) -> int:
    """Return how many jobs wait in a queue."""
    return int(ask("LLEN", keys().queue(queue)))


def payloads(queue: str, start: int, stop: int) -> list[bytes]:
    """Return the payloads from position ``start`` to ``stop`` (included, as in LRANGE), next one first."""
    return list(ask("LRANGE", keys().queue(queue), start, stop))


def measured(queue_names: list[str]) -> list[Queue]:
    """Return the queues of these names with their sizes, not asking which are paused: one round trip."""
    return with_sizes(queue_names, fetch(size_commands(queue_names)), frozenset())


def size_commands(queue_names: list[str]) -> list[tuple[Any, ...]]:
    """Return what must be asked for ``with_sizes``."""
    return [("LLEN", keys().queue(name)) for name in queue_names]


def with_sizes(queue_names: list[str], replies: list[Any], paused: frozenset[str]) -> list[Queue]:
    """Join names and the replies to ``size_commands``."""
    return [
        _queue(name, reply, is_paused=name in paused)
        for name, reply in zip(queue_names, replies, strict=True)
    ]


def _queue(name: str, reply: Any, *, is_paused: bool) -> Queue:
    complaints: list[str] = []
    size = or_else(0, reply, keys().queue(name), complaints)
    return Queue(name=name, size=size, is_paused=is_paused, complaint=" ".join(complaints))


def page(queue: str, start: int, count: int) -> QueuePage:
    """Return ``count`` jobs of a queue from position ``start`` on, in one round trip."""
    k = keys()
    commands = [
        ("LLEN", k.queue(queue)),
        ("LRANGE", k.queue(queue), start, start + count - 1),
        ("SISMEMBER", k.queues, queue),
        ("SISMEMBER", k.paused, queue),
    ]
    size, waiting, is_known, is_paused = fetch(commands, atomic=True)
    complaints: list[str] = []
    return QueuePage(
        size=or_else(0, size, k.queue(queue), complaints),
        jobs=[read_job(raw) for raw in or_else([], waiting, k.queue(queue), [])],
        is_known=bool(or_else(0, is_known, k.queues, complaints)),
        is_paused=bool(or_else(0, is_paused, k.paused, complaints)),
        complaints=complaints,
    )
