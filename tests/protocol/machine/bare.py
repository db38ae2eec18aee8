"""Bare jobs wait for their times beside Ruby, whose scheduler may be the master at any moment."""

from __future__ import annotations

from contextlib import suppress
from typing import get_args

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.protocol.machine.attack import Attack, places, queues
from tests.protocol.store import Full, Meanwhile, Named

LAST_TIME = 3
times = st.integers(1, LAST_TIME)
counts = st.integers(1, 4)


class Bare(Attack):
    @rule(queue=queues, times=st.lists(times, min_size=1, max_size=5), answer_lost=st.booleans())
    def delay_bare(self, queue: str, times: list[int], answer_lost: bool) -> None:
        """One job, for several times, and for one time several times."""
        job = self.new_job()
        with suppress(Full):
            for _ in range(1 + answer_lost):
                self.store.delay_bare(queue, job, times, "producer", self.numbers["push"] + 1)
            self.numbers["push"] += 1
            self.equal_ones[job] = len(times) - 1

    @rule(comes=st.booleans())
    def ruby_scheduler_comes_or_goes(self, comes: bool) -> None:
        with suppress(Full):
            (self.store.take_master_lock if comes else self.store.release_master_lock)()

    @precondition(lambda self: self.seen.bare)
    @rule(until=times, most=counts, meanwhile=st.sampled_from([None, *get_args(Meanwhile)]))
    def promote_bare(self, until: int, most: int, meanwhile: Meanwhile | None) -> None:
        """Some jobs are due, and one scheduler brings them, or two that have looked at the same time."""
        with suppress(Full):
            brought = self.store.promote_bare(until, most, meanwhile)
            assert not (brought and self.store.seen().is_ruby_master), "Ruby brings them, too"

    @precondition(lambda self: self.seen.bare)
    @rule(place=places, count=counts)
    def remove_bare(self, place: int, count: int) -> None:
        self.store.remove_bare(self.some_bare(place, count))

    @precondition(lambda self: self.seen.bare)
    @rule(place=places, count=counts, to=times)
    def move_bare(self, place: int, count: int, to: int) -> None:
        self.store.move_bare(self.some_bare(place, count), to)

    @precondition(lambda self: self.seen.bare)
    @rule(place=places, count=counts)
    def enqueue_bare_now(self, place: int, count: int) -> None:
        self.store.enqueue_bare_now(self.some_bare(place, count))

    def some_bare(self, place: int, count: int) -> list[Named]:
        """Return jobs that an operator chooses: often several that are equal."""
        bare = sorted((time, job) for time, jobs in self.seen.bare.items() for job in jobs)
        first = place % len(bare)
        return bare[first : first + count]
