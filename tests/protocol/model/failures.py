"""Jobs that have failed, as operators retry and remove them."""

from __future__ import annotations

from tests.protocol.model.state import State


class Failures(State):
    def retry(self, place: int, as_job: str, is_stale: bool) -> str:
        """Enqueue the job of a failure anew and return its queue; a stale one has moved since it was read."""
        job, queue, _ = self.failures[place]
        self._write()
        self.queues.setdefault(queue, []).append((as_job, 0, 0, as_job))
        self.failures[place] = (job, queue, True)
        self.ledger.enqueued[as_job] += 1
        return queue

    def remove_failure(self, place: int) -> None:
        self.ledger.removed[self.failures.pop(place)[0]] += 1

    def clear_failures(self) -> None:
        self.ledger.removed.update(job for job, _, _ in self.failures)
        self.failures = []

    def clear_retried(self, meanwhile: int | None) -> int:
        """Remove the failures that were retried; ``meanwhile`` another one is removed by somebody else."""
        if meanwhile is not None:
            self.remove_failure(meanwhile)
        removed = [job for job, _, is_retried in self.failures if is_retried]
        self.failures = [each for each in self.failures if not each[2]]
        self.ledger.removed.update(removed)
        return len(removed)
