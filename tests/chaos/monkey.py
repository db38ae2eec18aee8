"""The monkey: does something bad again and again, and leaves the site in peace for a while now and then."""

from __future__ import annotations

import inspect
import time
from collections import Counter

import redis

from jobqueue.exceptions import JobQueueError
from tests.chaos import ledger
from tests.chaos.faults import Faults, Missed
from tests.chaos.plan import REST, Step, plan
from tests.chaos.repairs import Repairs
from tests.chaos.site import Site

FREQUENT = ("kill_worker", "cut_connections", "cut_in_reply")
"""What it does twice as often as the rest."""
FAULTS = [name for name, _ in inspect.getmembers(Faults, inspect.isfunction) if not name.startswith("_")]
REST_SECONDS = 3.0
SETTLE_SECONDS = 60


class Monkey:
    """Disturbs a site by the plan of a seed."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._repairs = Repairs()
        self._faults = Faults(site, self._repairs)
        self._plan = plan(seed, [*FAULTS, *FREQUENT])
        self.done: Counter[str] = Counter()
        """How often it did each thing."""
        self.complaints: list[str] = []

    def play(self, seconds: float) -> None:
        """Disturb for so long."""
        until = time.monotonic() + seconds
        for step in self._plan:
            if time.monotonic() > until:
                return
            time.sleep(step.pause_seconds)
            self._repairs.make_due()
            self._site.revive()
            if step.fault == REST:
                self.rest()
            else:
                self._disturb(step)

    def _disturb(self, step: Step) -> None:
        self._faults.chance = step.chance
        ledger.note(ledger.FAULTS, step.fault)
        try:
            getattr(self._faults, step.fault)()
        except (Missed, redis.RedisError, JobQueueError):
            return
        self.done[step.fault] += 1

    def rest(self) -> None:
        """Repair everything, wait until the site has recovered, and disturb it no more for a while."""
        self._repairs.make_all()
        if not self._site.settles(SETTLE_SECONDS):
            self.complaints.append(f"not all is well {SETTLE_SECONDS} s after the last fault")
            return
        began = time.time()
        time.sleep(REST_SECONDS)
        ledger.note(ledger.CALMS, REST, f"{began:.3f}")
        self.done[REST] += 1
