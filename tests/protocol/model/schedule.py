"""Recurring jobs, each of which has its ticks."""

from __future__ import annotations

from tests.protocol.model.unique import Unique
from tests.protocol.store import equals


class Schedule(Unique):
    def begin_entry(self, entry: str, tick: int) -> None:
        """Let the ticks of a recurring job count from one on, unless they count already."""
        self._write()
        self.fired.setdefault(entry, tick)

    def remove_entry(self, entry: str) -> None:
        self.fired.pop(entry, None)
        self.paused_entries.discard(entry)

    def fire(self, entry: str, tick: int, queue: str, job: str) -> bool:
        """Deal with a tick once; it enqueues nothing while its entry is paused, or where an equal job is."""
        if entry not in self.fired or self.fired[entry] >= tick:
            return False
        self._write()
        self.fired[entry] = tick
        if entry in self.paused_entries or self._holder(job):
            return False
        self.queues.setdefault(queue, []).append((job, 0, 0, job))
        self.ledger.enqueued[job] += 1
        self.ledger.ticks[entry, tick] += 1
        if equals(job):
            self.locks[equals(job)] = job
        return True

    def pause_entry(self, entry: str) -> None:
        self._write()
        self.paused_entries.add(entry)

    def resume_entry(self, entry: str) -> None:
        self.paused_entries.discard(entry)
