"""Jobs that wait in queues: what producers push there, and operators pause and remove."""

from __future__ import annotations

from collections.abc import Sequence

from tests.protocol.model.state import State


class Queues(State):
    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        if self.sent.get(producer, 0) >= number:
            return
        self._write()
        self.queues.setdefault(queue, []).append((job, 0, 0, job))
        self.sent[producer] = number
        self.ledger.enqueued[job] += 1

    def pause(self, queue: str) -> None:
        self._write()
        self.paused.add(queue)

    def resume(self, queue: str) -> None:
        self.paused.discard(queue)

    def pause_all(self) -> None:
        self._write()
        self.all_paused = True

    def resume_all(self) -> None:
        self.all_paused = False

    def remove_jobs(self, queue: str, jobs: Sequence[str]) -> int:
        waiting = self.queues.get(queue, [])
        removed = [each for each in waiting if each[0] in jobs and not each[1] + each[2]]
        self.queues[queue] = [each for each in waiting if each not in removed]
        self.ledger.removed.update(job for job, *_ in removed)
        for job, *_ in removed:
            self._unlock(job)
        return len(removed)

    def remove_queue(self, queue: str) -> None:
        removed = [job for job, *_ in self.queues.pop(queue, [])]
        self.ledger.removed.update(removed)
        self.paused.discard(queue)
        for job in [*removed, *self.taken.get(queue, [])]:
            self._unlock(job)

    def take_away(self, queue: str) -> None:
        """Somebody who knows nothing of locks removes a queue."""
        taken = [job for job, *_ in self.queues.pop(queue, [])]
        self.ledger.removed.update(taken)
        self.taken.setdefault(queue, []).extend(taken)
