"""What stands in Redis, as the scripts see it, and what happens to all of it at once."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from tests.protocol.store import Delayed, Full, Held, Ledger, Seen, Waiting, equals


@dataclass
class State:
    """Redis as the scripts see it."""

    queues: dict[str, list[Waiting]] = field(default_factory=dict)
    later: list[Delayed] = field(default_factory=list)
    """What waits for its moment, each with its queue before it; the next one first."""
    bare: dict[int, list[Delayed]] = field(default_factory=dict)
    """By time: what waits in resque-scheduler's keys, in the order in which it came."""
    is_ruby_master: bool = False
    runs: dict[str, dict[int, Held]] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)
    """By run: the first token that was never claimed."""
    sent: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    all_paused: bool = False
    failures: list[tuple[str, str, bool]] = field(default_factory=list)
    """Job, queue, whether it was retried."""
    processed: int = 0
    raised: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    is_full: bool = False
    locks: dict[str, str] = field(default_factory=dict)
    """Which job holds the lock of those that are equal."""
    taken: dict[str, list[str]] = field(default_factory=dict)
    """What a stranger took away, by queue."""
    fired: dict[str, int] = field(default_factory=dict)
    """By recurring job: up to which tick it is dealt with."""
    paused_entries: set[str] = field(default_factory=set)

    def _lock(self, job: str) -> None:
        """A job waits again, and has its lock again if that is free."""
        if equals(job):
            self.locks.setdefault(equals(job), job)

    def _unlock(self, job: str) -> None:
        """Its job begins, or is gone."""
        if self.locks.get(equals(job)) == job:
            del self.locks[equals(job)]

    def _write(self) -> None:
        if self.is_full:
            raise Full

    def forget_scripts(self) -> None:
        """A script is sent again with its text."""

    def fill(self) -> None:
        self.is_full = True

    def free(self) -> None:
        self.is_full = False

    def seen(self) -> Seen:
        return Seen(
            waiting={queue: list(jobs) for queue, jobs in self.queues.items() if jobs},
            in_flight={run: dict(held) for run, held in self.runs.items()},
            later=list(self.later),
            bare={time: list(jobs) for time, jobs in self.bare.items()},
            is_ruby_master=self.is_ruby_master,
            failed=[(job, is_retried) for job, _, is_retried in self.failures],
            paused=set(self.paused),
            all_paused=self.all_paused,
            processed=self.processed,
            raised=self.raised,
            locks=dict(self.locks),
            fired=dict(self.fired),
            paused_entries=set(self.paused_entries),
        )

    def snapshot(self) -> object:
        return copy.deepcopy({name: value for name, value in vars(self).items() if name != "is_full"})

    def roll_back(self, snapshot: object) -> None:
        vars(self).update(copy.deepcopy(snapshot))  # type: ignore[arg-type]
