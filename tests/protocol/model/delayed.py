"""Jobs that wait for their moments."""

from __future__ import annotations

from collections.abc import Sequence

from tests.protocol.model.state import State


class Delayed(State):
    def delay(self, queue: str, job: str, producer: str, number: int) -> None:
        if self.sent.get(producer, 0) >= number:
            return
        self._write()
        self.later.append((queue, job, 0, 0, job))
        self.sent[producer] = number
        self.ledger.enqueued[job] += 1

    def promote(self, most: int) -> None:
        """Bring the first ones to their queues: they are due."""
        due, self.later = self.later[:most], self.later[most:]
        for queue, *waiting in due:
            self.queues.setdefault(queue, []).append(tuple(waiting))  # type: ignore[arg-type]  # just the four
            self._lock(waiting[0])

    def remove_delayed(self, jobs: Sequence[str]) -> int:
        removed = [job for _, job, *_ in self.later if job in jobs]
        self.later = [each for each in self.later if each[1] not in removed]
        self.ledger.removed.update(removed)
        for job in removed:
            self._unlock(job)
        return len(removed)
