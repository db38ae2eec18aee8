"""Jobs that wait in queues: producers push them there, operators pause and remove."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.protocol.machine.attack import ENTRIES, Attack, places, queues
from tests.protocol.store import QUEUES, Full

ALL = "all"


class Queues(Attack):
    @rule(queue=queues, count=st.integers(1, 4), answer_lost=st.booleans())
    def enqueue(self, queue: str, count: int, answer_lost: bool) -> None:
        for _ in range(count):
            self.enqueue_one(queue, answer_lost)

    def enqueue_one(self, queue: str, answer_lost: bool) -> None:
        job = self.new_job()
        with suppress(Full):
            for _ in range(1 + answer_lost):
                self.store.enqueue(queue, job, "producer", self.numbers["push"] + 1)
            self.numbers["push"] += 1
            self.order[queue].append(job)

    @rule(what=st.sampled_from([*QUEUES, ALL, *ENTRIES]), on=st.booleans())
    def pause_or_resume(self, what: str, on: bool) -> None:
        with suppress(Full):
            if what == ALL:
                (self.store.pause_all if on else self.store.resume_all)()
            elif what in ENTRIES:
                (self.store.pause_entry if on else self.store.resume_entry)(what)
            else:
                (self.store.pause if on else self.store.resume)(what)

    @rule(queue=queues, some=st.lists(places, min_size=1, max_size=3), whole=st.booleans())
    def remove(self, queue: str, some: list[int], whole: bool) -> None:
        """Remove some jobs, or the whole queue."""
        waiting = self.seen.names_waiting(queue)
        if whole:
            self.store.remove_queue(queue)
        elif waiting:
            self.store.remove_jobs(queue, sorted({waiting[place % len(waiting)] for place in some}))
