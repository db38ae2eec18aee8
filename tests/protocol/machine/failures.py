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
                queue = self.store.retry(self.failure_at(place), job, is_stale)
                self.order[queue].append(job)

    @precondition(lambda self: self.seen.failed)
    @rule(place=places, how=st.sampled_from(["one", "retried", "retried while one is removed", "all"]))
    def remove_failures(self, place: int, how: str) -> None:
        match how:
            case "one":
                self.store.remove_failure(self.failure_at(place))
            case "all":
                self.store.clear_failures()
            case _:
                self.store.clear_retried(None if how == "retried" else self.failure_at(place))

    def failure_at(self, place: int) -> int:
        """Return the place of a failure; of those that are equal the last one is meant."""
        failed = self.store.seen().failed
        chosen = failed[place % len(failed)]
        return max(at for at, each in enumerate(failed) if each == chosen)
