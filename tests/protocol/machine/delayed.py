"""Jobs wait for their moments."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.protocol.machine.attack import Attack, places, queues
from tests.protocol.store import Full


class Delayed(Attack):
    @rule(queue=queues, answer_lost=st.booleans())
    def delay(self, queue: str, answer_lost: bool) -> None:
        job = self.new_job()
        with suppress(Full):
            for _ in range(1 + answer_lost):
                self.store.delay(queue, job, "producer", self.numbers["push"] + 1)
            self.numbers["push"] += 1

    @precondition(lambda self: self.seen.later)
    @rule(most=st.integers(1, 4), again=st.booleans())
    def promote(self, most: int, again: bool) -> None:
        """Some jobs are due, and one scheduler or two bring them."""
        for _ in range(1 + again):
            self.store.promote(most)

    @precondition(lambda self: self.seen.later)
    @rule(some=st.lists(places, min_size=1, max_size=3))
    def remove_delayed(self, some: list[int]) -> None:
        delayed = [job for _, job, *_ in self.seen.later]
        self.store.remove_delayed(sorted({delayed[place % len(delayed)] for place in some}))
