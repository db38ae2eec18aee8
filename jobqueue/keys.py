"""The name of every key that jobqueue reads or writes in Redis.

The first group is Resque's, the second our own; both stand under one namespace. Names in Redis may be any
bytes; here they are text, which ``to_bytes`` and ``to_text`` turn into the same bytes and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def to_bytes(part: Any) -> Any:
    """Encode text as it stands in Redis, odd bytes included; numbers and bytes pass."""
    return part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part


def to_text(name: bytes) -> str:
    """Decode a name so that ``to_bytes`` gives back the same bytes, whatever they are."""
    return name.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one namespace; ``prefix`` ends with a colon, or is empty for no namespace at all."""

    prefix: str

    # Resque's
    @property
    def queues(self) -> str:
        return f"{self.prefix}queues"

    def queue(self, name: str) -> str:
        return f"{self.prefix}queue:{name}"

    @property
    def workers(self) -> str:
        return f"{self.prefix}workers"

    def worker(self, worker_id: str) -> str:
        return f"{self.prefix}worker:{worker_id}"

    def worker_started(self, worker_id: str) -> str:
        return f"{self.prefix}worker:{worker_id}:started"

    @property
    def heartbeats(self) -> str:
        return f"{self.prefix}workers:heartbeat"

    @property
    def pruning(self) -> str:
        return f"{self.prefix}pruning_dead_workers_in_progress"

    @property
    def pause_all(self) -> str:
        return f"{self.prefix}pause-all-workers"

    def stat(self, name: str) -> str:
        return f"{self.prefix}stat:{name}"

    def worker_stat(self, name: str, worker_id: str) -> str:
        return f"{self.prefix}stat:{name}:{worker_id}"

    @property
    def failed(self) -> str:
        return f"{self.prefix}failed"

    # resque-scheduler's
    @property
    def delayed_times(self) -> str:
        return f"{self.prefix}delayed_queue_schedule"

    def delayed(self, time: int | str) -> str:
        return f"{self.prefix}delayed:{time}"

    def timestamps(self, payload: str) -> str:
        return f"{self.prefix}timestamps:{payload}"

    def master_lock(self, prefix: str) -> str:
        # Ruby puts the namespace into the name, and then all its names into the namespace
        return f"{self.prefix}{self.prefix}{prefix}resque_scheduler_master_lock"

    @property
    def last_enqueued(self) -> str:
        return f"{self.prefix}delayed:last_enqueued_at"

    @property
    def persistent_schedules(self) -> str:
        return f"{self.prefix}persistent_schedules"

    @property
    def schedules_changed(self) -> str:
        return f"{self.prefix}schedules_changed"

    # Our own
    @property
    def later(self) -> str:
        return f"{self.prefix}later"

    @property
    def wake_scheduler(self) -> str:
        return f"{self.prefix}wake_scheduler"

    @property
    def fired(self) -> str:
        return f"{self.prefix}fired"

    @property
    def paused_schedule(self) -> str:
        return f"{self.prefix}paused_schedule"

    @property
    def runs(self) -> str:
        return f"{self.prefix}runs"

    def inflight(self, run: str) -> str:
        return f"{self.prefix}inflight:{run}"

    @property
    def wake_any(self) -> str:
        return f"{self.prefix}wake"

    def wake(self, queue: str) -> str:
        return f"{self.prefix}wake:{queue}"

    def unblock(self, waiter: str) -> str:
        return f"{self.prefix}unblock:{waiter}"

    @property
    def paused(self) -> str:
        return f"{self.prefix}paused"

    @property
    def unique(self) -> str:
        return f"{self.prefix}unique"

    @property
    def unique_looked_after(self) -> str:
        return f"{self.prefix}unique:looked_after"

    def sent(self, producer: str) -> str:
        return f"{self.prefix}sent:{producer}"

    def value(self, name: str) -> str:
        return f"{self.prefix}value:{name}"
