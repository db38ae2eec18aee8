"""Jobs that have failed are retried and removed by operators."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.protocol.machine.attack import Attack, places
from tests.protocol.store import Full


class Failures(Attack):
    @precondition(lambda self: self.seen.failed)
    @rule(some=st.lists(places, min_size=1, max_size=3), is_stale=st.booleans())
    def retry_failures(self, some: list[int], is_stale: bool) -> None:
        """Each job is enqueued anew, as a job of its own; the failure stays, marked."""
        for place in some:
            job = self.new_job()
            with suppress(Full):
                queue = self.store.retry(place % len(self.seen.failed), job, is_stale)
                self.order[queue].append(job)

    @precondition(lambda self: self.seen.failed)
    @rule(place=places, how=st.sampled_from(["one", "retried", "retried while one is removed", "all"]))
    def remove_failures(self, place: int, how: str) -> None:
        match how:
            case "one":
                self.store.remove_failure(place % len(self.seen.failed))
            case "all":
                self.store.clear_failures()
            case _:
                self.store.clear_retried(None if how == "retried" else place % len(self.seen.failed))
