"""Workers claim jobs, perform them, and tell how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.protocol.machine.attack import Attack, workers
from tests.protocol.store import LIMIT, QUEUES, Claimed, Refused


class Workers(Attack):
    @rule(name=workers, most=st.integers(1, 4), answer_lost=st.booleans())
    def claim(self, name: str, most: int, answer_lost: bool) -> None:
        self.act(name, "claim", most, QUEUES, answer_lost=answer_lost)

    @rule(name=workers)
    def begin_next(self, name: str) -> None:
        if (job := self.act(name, "begin_next")) is not None:
            self.begun[job.job] += 1
            self.calls_begun[job.call] += 1
            most = LIMIT * (1 + self.equal_ones[job.job])
            most += self.numbers["put back"] + self.tried_again[job.job]
            assert self.rolled_back or self.begun[job.job] <= most

    @rule(name=workers, how=st.sampled_from(["done", "failed", "later"]), answer_lost=st.booleans())
    def end(self, name: str, how: str, answer_lost: bool) -> None:
        running = self.workers[name].running
        if running is not None and how == "done":
            self.succeeded[running.job] += 1
        elif running is not None and how == "later":
            self.expect_again(running)
        self.act(name, "end", how, answer_lost=answer_lost)

    @rule(
        name=workers,
        hows=st.lists(st.sampled_from(["done", "done", "failed", "later"]), min_size=1, max_size=3),
    )
    def work(self, name: str, hows: list[str]) -> None:
        """Claim if need be, and perform a few jobs."""
        self.claim(name, 4, answer_lost=False)
        for how in hows:
            self.begin_next(name)
            self.end(name, how, answer_lost=False)

    @rule(name=workers, finish=st.integers(0, 2), answer_lost=st.booleans())
    def hold(self, name: str, finish: int, answer_lost: bool) -> None:
        """A job lasts, after some short ones of the same batch."""
        self.work(name, ["done"] * finish)
        self.begin_next(name)
        with self.heads_keep_order():
            self.act(name, "hold", answer_lost=answer_lost)
        if any(held for run, held in self.store.seen().in_flight.items() if run != self.workers[name].run):
            # What another worker gives back later stands before it, though it may have come later
            self.forget_order()

    @rule(name=workers, in_time=st.booleans())
    def leave(self, name: str, in_time: bool) -> None:
        """A worker is stopped, between two jobs or, too late, in the midst of one."""
        if self.workers[name].running is not None:
            if in_time:
                self.end(name, "done", answer_lost=False)
            else:
                self.numbers["put back"] += 1
                self.disturb()
        with self.heads_keep_order():
            self.act(name, "leave")
        self.forget_order()

    def act(self, name: str, step: str, *args: object, **options: object) -> Any:
        """Let a worker act; one whose run was recovered drops all it holds and begins anew."""
        worker = self.workers[name]
        try:
            return getattr(worker, step)(*args, **options)
        except Refused:
            worker.begin_run()
            return None

    def expect_again(self, running: Claimed) -> None:
        """An attempt ends, and another one follows, for which the job waits behind all others."""
        self.tried_again.update({running.job, running.call})
        self.forget_in_order(running.job)

    def be_busy(self, name: str, busy: bool) -> None:
        """Let a worker perform a job, as faults are worse in the midst of one."""
        if busy:
            self.claim(name, 3, answer_lost=False)
            self.begin_next(name)

    @contextmanager
    def heads_keep_order(self) -> Iterator[None]:
        """Check that what is given back stands before all that waited, in the order of its claims."""
        before = self.store.seen()
        yield
        after = self.store.seen()
        for queue in QUEUES:
            waited, waiting = before.names_waiting(queue), after.names_waiting(queue)
            back = waiting[: len(waiting) - len(waited)]
            assert waiting[len(back) :] == waited
            # Two workers that died one after the other have left their jobs in the order of their deaths
            known = [job for job in back if job in self.order[queue]]
            assert known == [job for job in self.order[queue] if job in known]
