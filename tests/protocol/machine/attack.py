"""What all parts of the attack share."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.protocol.laws import NAMES, Laws
from tests.protocol.store import QUEUES

workers = st.sampled_from(NAMES)
queues = st.sampled_from(QUEUES)
places = st.integers(0, 9)
ENTRIES = ("hourly", "daily")


class Attack(Laws):
    """Notes what the laws are to expect."""

    faults = True
    """Whether machines die, workers freeze and Redis forgets; without these exactly once is promised."""

    def new_job(self) -> str:
        self.numbers["job"] += 1
        return f"job-{self.numbers['job']}"

    def disturb(self) -> None:
        self.calm = False
        self.forget_order()

    def forget_in_order(self, job: str) -> None:
        self.order = {queue: [each for each in order if each != job] for queue, order in self.order.items()}

    def forget_order(self) -> None:
        self.order = {queue: [] for queue in QUEUES}
