"""Read the totals, and what Redis tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from jobqueue.conf import environment
from jobqueue.connection import address, keys
from jobqueue.inspection.queues import Queue, size_commands, sorted_names, with_sizes
from jobqueue.inspection.replies import fetch, number, or_else
from jobqueue.inspection.workers import Current, is_silent, read_current, read_moment, split_id
from jobqueue.keys import to_text

TIMES_COUNTED = 100
"""Jobs are counted at no more times of resque-scheduler, which has a key for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """Resque's ``info``: it counts every registered worker, silent ones too.

    ``failed`` is the length of the Failed list, not the count of failed jobs.
    """

    pending: int
    processed: int
    queues: int
    workers: int
    working: int
    failed: int
    servers: list[str]
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """A worker in one line: who it is and what it has."""

    id: str
    host: str
    pid: str
    queues: list[str]
    current: Current | None
    is_silent: bool
    complaints: list[str]

    @property
    def is_working(self) -> bool:
        return self.current is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything in one look; ``failed`` is the length of the Failed list."""

    queues: list[Queue]
    workers: list[Doing]
    failed: int
    delayed: int
    """Jobs of both kinds that wait for their moments, as far as they were counted."""
    are_more_delayed: bool
    """There are more, in resque-scheduler's keys."""
    stat_processed: int
    stat_failed: int
    is_all_paused: bool
    complaints: list[str]

    @property
    def pending(self) -> int:
        return sum(queue.size for queue in self.queues)

    @property
    def alive(self) -> list[Doing]:
        """The workers that are not silent."""
        return [worker for worker in self.workers if not worker.is_silent]

    @property
    def working(self) -> list[Doing]:
        """Those of them that have a job."""
        return [worker for worker in self.alive if worker.is_working]

    @property
    def silent(self) -> list[Doing]:
        """The workers that may be dead: nobody knows whether they still do what they began."""
        return [worker for worker in self.workers if worker.is_silent]


def overview() -> Overview:
    """Return queues, workers and totals: two round trips, however many there are of each."""
    k = keys()
    complaints: list[str] = []
    replies = fetch(
        [
            ("SMEMBERS", k.queues),
            ("SMEMBERS", k.workers),
            ("SMEMBERS", k.paused),
            ("LLEN", k.failed),
            ("GET", k.stat("processed")),
            ("GET", k.stat("failed")),
            ("GET", k.pause_all),
            ("ZCARD", k.later),
            ("ZRANGE", k.delayed_times, 0, TIMES_COUNTED),
        ]
    )
    queue_names = sorted_names(or_else([], replies[0], k.queues, complaints))
    worker_ids = sorted_names(or_else([], replies[1], k.workers, complaints))
    paused = frozenset(sorted_names(or_else([], replies[2], k.paused, complaints)))
    times = list(map(to_text, or_else([], replies[8], k.delayed_times, complaints)))
    queues, doing, bare = _second_look(queue_names, worker_ids, paused, times[:TIMES_COUNTED])
    return Overview(
        queues=queues,
        workers=doing,
        failed=or_else(0, replies[3], k.failed, complaints),
        delayed=or_else(0, replies[7], k.later, complaints) + bare,
        are_more_delayed=len(times) > TIMES_COUNTED,
        stat_processed=number(replies[4], k.stat("processed"), complaints),
        stat_failed=number(replies[5], k.stat("failed"), complaints),
        is_all_paused=or_else(b"", replies[6], k.pause_all, complaints).strip().lower() == b"true",
        complaints=complaints,
    )


def _second_look(
    queue_names: list[str], worker_ids: list[str], paused: frozenset[str], times: list[str]
) -> tuple[list[Queue], list[Doing], int]:
    """Return the queues, what workers are doing, and how many jobs are due at times of resque-scheduler."""
    k = keys()
    gets = [("GET", k.worker(worker_id)) for worker_id in worker_ids]
    beats = [("HGET", k.heartbeats, worker_id) for worker_id in worker_ids]
    lengths = [("LLEN", k.delayed(time)) for time in times]
    replies = iter(fetch([*lengths, *size_commands(queue_names), *gets, *beats]))
    bare = sum(or_else(0, length, "", []) for length in islice(replies, len(times)))
    queues = with_sizes(queue_names, list(islice(replies, len(queue_names))), paused)
    values = list(islice(replies, len(worker_ids)))
    return queues, [_doing(*each) for each in zip(worker_ids, values, replies, strict=True)], bare


def _doing(worker_id: str, value: Any, heartbeat: Any) -> Doing:
    host, pid, queues, complaints = split_id(worker_id)
    return Doing(
        id=worker_id,
        host=host,
        pid=pid,
        queues=queues,
        current=read_current(value, keys().worker(worker_id), complaints),
        is_silent=is_silent(read_moment(or_else(None, heartbeat, keys().heartbeats, []))),
        complaints=complaints,
    )


def info(seen: Overview | None = None) -> Info:
    """Return Resque's totals, from an overview already read if there is one."""
    seen = seen or overview()
    return Info(
        pending=seen.pending,
        processed=seen.stat_processed,
        queues=len(seen.queues),
        workers=len(seen.workers),
        working=sum(worker.is_working for worker in seen.workers),
        failed=seen.failed,
        servers=[address().masked],
        environment=environment(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisInfo:
    """Redis's own figures by section, as text."""

    sections: dict[str, dict[str, str]]
    complaints: list[str]

    def figure(self, name: str) -> str:
        """Return one figure of any section; nothing if Redis does not tell it."""
        return next((figures[name] for figures in self.sections.values() if name in figures), "")


def redis_info() -> RedisInfo:
    """Return Redis's INFO, in one round trip."""
    complaints: list[str] = []
    text = or_else(b"", fetch([("INFO",)])[0], "INFO", complaints)
    return RedisInfo(sections=parse_info(to_text(text)), complaints=complaints)


def parse_info(text: str) -> dict[str, dict[str, str]]:
    """Read lines ``# Section`` and ``name:value``; leave empty sections out."""
    sections: dict[str, dict[str, str]] = {}
    figures = sections.setdefault("", {})
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if line.startswith("#"):
            figures = sections.setdefault(line[1:].strip(), {})
        elif colon:
            figures[name] = value
    return {section: figures for section, figures in sections.items() if figures}
