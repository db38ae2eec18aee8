"""Bare jobs that wait for their times in resque-scheduler's keys, while Ruby may be the master."""

from __future__ import annotations

from collections.abc import Sequence

from tests.protocol.model.state import State
from tests.protocol.store import Delayed, Meanwhile, Named


class Bare(State):
    def delay_bare(self, queue: str, job: str, times: Sequence[int], producer: str, number: int) -> None:
        """Let a job wait for each of these times; those of one time are equal, and each of them stays."""
        if self.sent.get(producer, 0) >= number:
            return
        self._write()
        for time in times:
            self._put(time, (queue, job, 0, 0, job))
            self.ledger.enqueued[job] += 1
        self.sent[producer] = number

    def take_master_lock(self) -> None:
        self._write()
        self.is_ruby_master = True

    def release_master_lock(self) -> None:
        self.is_ruby_master = False

    def promote_bare(self, until: int, most: int, meanwhile: Meanwhile | None) -> int:
        """Bring the first jobs of the first time that is due, those that are still there when it is done."""
        time = min((time for time in self.bare if time <= until), default=0)
        due = self.bare.get(time, [])[:most]
        if self.is_ruby_master or not due:
            return 0
        if meanwhile == "Ruby takes the lock":
            self.take_master_lock()
        elif meanwhile == "another scheduler brings them":
            self._bring(time, due)
        return 0 if self.is_ruby_master else self._bring(time, due)

    def _bring(self, time: int, due: Sequence[Delayed]) -> int:
        brought = [each for each in due if self._take(time, each)]
        for queue, *waiting in brought:
            self.queues.setdefault(queue, []).append(tuple(waiting))  # type: ignore[arg-type]  # just the four
        return len(brought)

    def enqueue_bare_now(self, named: Sequence[Named]) -> int:
        """An operator may, whoever is the master."""
        return sum(self._bring(time, [each]) for time, each in named)

    def remove_bare(self, named: Sequence[Named]) -> int:
        removed = [each for time, each in named if self._take(time, each)]
        self.ledger.removed.update(job for _, job, *_ in removed)
        return len(removed)

    def move_bare(self, named: Sequence[Named], to: int) -> int:
        moved = [each for time, each in named if self._take(time, each)]
        for each in moved:
            self._put(to, each)
        return len(moved)

    def _put(self, time: int, job: Delayed) -> None:
        self.bare.setdefault(time, []).append(job)

    def _take(self, time: int, job: Delayed) -> bool:
        """Take out the first of those that are equal, if there is one; a time goes with its last job."""
        jobs = self.bare.get(time, [])
        if is_there := job in jobs:
            jobs.remove(job)
        if not jobs:
            self.bare.pop(time, None)
        return is_there
