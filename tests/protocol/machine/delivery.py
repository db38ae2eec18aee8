"""The attack as a whole: how it begins, and how everything has to end."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.protocol.laws import NAMES
from tests.protocol.machine.attack import queues
from tests.protocol.machine.bare import LAST_TIME, Bare, times
from tests.protocol.machine.deaths import Deaths
from tests.protocol.machine.delayed import Delayed
from tests.protocol.machine.failures import Failures
from tests.protocol.machine.queues import Queues
from tests.protocol.machine.schedule import Schedule
from tests.protocol.machine.troubles import Troubles
from tests.protocol.machine.unique import Unique, kinds
from tests.protocol.store import QUEUES, Death


class DeliveryMachine(Queues, Failures, Delayed, Bare, Schedule, Unique, Deaths, Troubles):
    """Takes the steps of producers, operators and workers, and does to them what they have to stand."""

    @initialize(
        some=st.lists(queues, min_size=2, max_size=6),
        failed=st.integers(0, 4),
        unique=st.lists(kinds, max_size=2),
        bare=st.lists(times, max_size=3),
    )
    def begin_amid_work(self, some: list[str], failed: int, unique: list[str], bare: list[int]) -> None:
        for queue in some:
            self.enqueue_one(queue, answer_lost=False)
        for kind in unique:
            self.enqueue_unique("high", kind, False, "drop", False)
        if bare:
            self.delay_bare("low", bare, False)
        self.work("ann", ["failed"] * failed)

    def teardown(self) -> None:
        """Let all the dead be recovered and the living work on: everything ends."""
        self.store.free()
        self.store.resume_all()
        self.store.release_master_lock()
        for queue in QUEUES:
            self.store.resume(queue)
        self.forget_runs()
        for run in self.dead_runs:
            self.store.recover(run, Death())
        steps = 0
        while steps < 2 or self.is_something_left():
            self.work_on()
            steps += 1
            assert steps < 3 * (self.numbers["job"] + self.equal_ones.total()) + 10, "they go on without end"
        self.laws_hold()
        self.store.release_orphans()
        assert self.store.seen().locks == {}

    def is_something_left(self) -> bool:
        seen = self.store.seen()
        return bool(seen.waiting or seen.delayed()) or any(seen.in_flight.values())

    def work_on(self) -> None:
        """Bring what is due, and let each worker take a step."""
        self.store.promote(4)
        self.store.promote_bare(LAST_TIME, 4, None)
        for name in NAMES:
            self.begin_next(name)
            self.end(name, "done", answer_lost=False)
            self.claim(name, 3, answer_lost=False)
