"""Unique jobs meet their equals, wherever these are."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.protocol.machine.attack import queues, workers
from tests.protocol.machine.workers import Workers
from tests.protocol.store import LIMIT, Full, equals

kinds = st.sampled_from(["queued-a", "done-a", "done-b"])


class Unique(Workers):
    @rule(
        queue=queues,
        kind=kinds,
        delayed=st.booleans(),
        mode=st.sampled_from(["drop", "raise", "replace", "debounce"]),
        answer_lost=st.booleans(),
        performed=st.integers(0, 4),
    )
    def enqueue_unique(
        self, queue: str, kind: str, delayed: bool, mode: str, answer_lost: bool, performed: int = 0
    ) -> None:
        """While an answer is lost and the call is sent again, some jobs may be performed."""
        job = f"{kind}-{self.new_job()}"
        step = self.store.delay_unique if delayed else self.store.enqueue_unique
        mode = mode if delayed or mode != "debounce" else "drop"
        call = queue, job, mode, "producer", self.numbers["push"] + 1
        with suppress(Full):
            counts = self.note_call(queue, job, step(*call), mode, is_delayed=delayed)
            if answer_lost:
                self.work("bob", ["done"] * performed)
                before = self.store.seen()
                holder = step(*call)
                assert not counts or self.store.seen() == before, "it counts twice"
                if not counts:
                    self.note_call(queue, job, holder, mode, is_delayed=delayed)

    def note_call(self, queue: str, job: str, holder: str, mode: str, *, is_delayed: bool) -> bool:
        """Note what has become of a call; tell whether it was let in, or has replaced another."""
        seen, kind = self.store.seen(), equals(job)
        if kind.startswith("queued") and (not holder or mode in ("replace", "debounce")):
            self.last_calls[kind] = job, holder or job
            equal = {each for each in seen.in_flight_by_name() if equals(each) == kind and each != holder}
            self.overtaken |= {each for each in equal if not self.begun[each]}
        if holder and job not in seen.calls():
            return False
        self.numbers["push"] += 1
        if holder:
            # Its counts begin anew, and it may wait elsewhere
            self.numbers["put back"] += LIMIT
            self.forget_in_order(holder)
        elif not is_delayed:
            self.order[queue].append(job)
        return True

    @rule(
        name=workers,
        queue=queues,
        delayed=st.booleans(),
        how=st.sampled_from(["done", "failed", "later", "goes on"]),
    )
    def an_equal_job_comes_while_one_runs(self, name: str, queue: str, delayed: bool, how: str) -> None:
        self.be_busy(name, True)
        running = self.workers[name].running
        if running is not None and equals(running.job):
            self.enqueue_unique(queue, equals(running.job), delayed, "drop", False)
            if how != "goes on":
                self.end(name, how, answer_lost=False)

    @rule(
        name=workers,
        queue=queues,
        delayed=st.booleans(),
        mode=st.sampled_from(["drop", "replace", "debounce"]),
    )
    def an_equal_job_comes_while_one_is_claimed(
        self, name: str, queue: str, delayed: bool, mode: str
    ) -> None:
        self.claim(name, 4, answer_lost=False)
        unique = [job.job for job in self.workers[name].batch if equals(job.job)]
        for job in unique[:1]:
            self.enqueue_unique(queue, equals(job), delayed, mode, False)

    @rule(queue=queues, kind=kinds, delayed=st.booleans(), performed=st.integers(0, 4))
    def a_job_is_replaced_and_the_answer_is_lost(
        self, queue: str, kind: str, delayed: bool, performed: int
    ) -> None:
        self.enqueue_unique(queue, kind, delayed, "drop", False)
        self.enqueue_unique(queue, kind, delayed, "replace", True, performed)

    @precondition(lambda self: self.faults)
    @rule(queue=queues, is_noticed=st.booleans())
    def stranger_takes_jobs_away(self, queue: str, is_noticed: bool) -> None:
        self.store.take_away(queue)
        self.is_robbed = True
        if is_noticed:
            self.look_after_locks()

    @rule()
    def look_after_locks(self) -> None:
        self.store.release_orphans()
        self.is_robbed = False
