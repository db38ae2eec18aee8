"""Unique jobs: what becomes of one that meets its equal."""

from __future__ import annotations

from tests.protocol.model.delayed import Delayed
from tests.protocol.model.queues import Queues
from tests.protocol.store import equals


class Unique(Delayed, Queues):
    def enqueue_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        if self.sent.get(producer, 0) >= number:
            return self._holder_again(job, mode)
        holder = self._holder(job)
        if not holder or self._is_followed(holder, mode):
            self.enqueue(queue, job, producer, number)
            self.locks[equals(job)] = job
            return ""
        if mode == "replace" and self._replace(queue, holder, job):
            self.sent[producer] = number
        return holder

    def delay_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        if self.sent.get(producer, 0) >= number:
            return self._holder_again(job, mode)
        holder = self._holder(job)
        if not holder or self._is_followed(holder, mode):
            self.delay(queue, job, producer, number)
            self.locks[equals(job)] = job
            return ""
        if mode in ("replace", "debounce") and self._delay_again(queue, holder, mode, job):
            self.sent[producer] = number
        return holder

    def _holder(self, job: str) -> str:
        """Return who holds the lock of a job's equals and waits or is in flight, "" if nobody does."""
        holder = self.locks.get(equals(job), "")
        return holder if holder in self.seen().alive() else ""

    def _is_followed(self, holder: str, mode: str) -> bool:
        """Whether the next one may wait: a worker has the holder, whose arguments cannot be changed there."""
        is_replaced = mode in ("replace", "debounce") and equals(holder).startswith("queued")
        return is_replaced and holder in self.seen().in_flight_by_name()

    def _holder_again(self, job: str, mode: str) -> str:
        """The answer to a call that comes again, as far as it can be known."""
        holder = self.locks.get(equals(job), job)
        return holder if holder != job and mode != "raise" else ""

    def _replace(self, queue: str, holder: str, call: str) -> bool:
        """What is replaced keeps its place, unless it changes its queue, and its counts begin anew."""
        place = next((n for n, (job, *_) in enumerate(self.queues.get(queue, [])) if job == holder), None)
        if place is not None:
            self._write()
            self.queues[queue][place] = (holder, 0, 0, call)
            return True
        if is_out := self._take_out(holder):
            self.queues.setdefault(queue, []).append((holder, 0, 0, call))
        return is_out

    def _delay_again(self, queue: str, holder: str, mode: str, call: str) -> bool:
        """What is debounced stays in a queue that it has reached."""
        reached = next((q for q, jobs in self.queues.items() if holder in [job for job, *_ in jobs]), None)
        if mode == "debounce" and reached is not None:
            return self._replace(reached, holder, call)
        if is_out := self._take_out(holder):
            self.later.append((queue, holder, 0, 0, call))
        return is_out

    def _take_out(self, job: str) -> bool:
        before = self.seen()
        self.later = [each for each in self.later if each[1] != job]
        self.queues = {q: [each for each in jobs if each[0] != job] for q, jobs in self.queues.items()}
        return self.seen() != before

    def release_orphans(self) -> None:
        self.locks = {key: job for key, job in self.locks.items() if self._holder(job)}
