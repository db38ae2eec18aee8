"""Ticks of recurring jobs come, and several schedulers deal with them."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.protocol.machine.attack import ENTRIES, Attack, queues
from tests.protocol.machine.unique import kinds
from tests.protocol.store import Full

entries = st.sampled_from(ENTRIES)


class Schedule(Attack):
    @rule(entry=entries, queue=queues, kind=st.one_of(st.just(""), kinds), late=st.lists(st.integers(0, 2)))
    def a_tick_comes(self, entry: str, queue: str, kind: str, late: list[int]) -> None:
        """Some schedulers deal with it, or with one before it, whatever the others have done meanwhile."""
        self.numbers[entry] += 1
        tick = 10 + self.numbers[entry]
        with suppress(Full):
            self.store.begin_entry(entry, tick - 1)
        for behind in [0, *late[:2]]:
            job = f"{kind}-{self.new_job()}" if kind else self.new_job()
            with suppress(Full):
                if self.store.fire(entry, tick - behind, queue, job):
                    self.order[queue].append(job)

    @rule(entry=entries, queue=queues)
    def entry_is_removed_before_its_tick_comes(self, entry: str, queue: str) -> None:
        """A scheduler that has read it before enqueues nothing."""
        self.store.remove_entry(entry)
        assert not self.store.fire(entry, 10 + self.numbers[entry] + 1, queue, self.new_job())
