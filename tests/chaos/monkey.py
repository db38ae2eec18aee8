"""The monkey: does something bad again and again, and leaves the site in peace for a while now and then."""

from __future__ import annotations

import inspect
import signal
import time
from collections import Counter

import redis

from jobqueue.exceptions import JobQueueError
from tests.chaos import ledger
from tests.chaos.faults import Faults
from tests.chaos.people import Missed
from tests.chaos.plan import REST, Step, plan
from tests.chaos.repairs import Repairs
from tests.chaos.site import Site, Tree

FREQUENT = ("kill_worker", "cut_connections", "cut_in_reply")
"""What it does twice as often as the rest."""
FAULTS = [name for name, _ in inspect.getmembers(Faults, inspect.isfunction) if not name.startswith("_")]
REST_SECONDS = 3.0
SETTLE_SECONDS = 60
CUT_OFF = "cut_off"
WAYS_TO_BE_CUT_OFF = ("network", "tree", "supervisor")


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
                self.cut_off(step)
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
        if not self._settle():
            return
        began = time.time()
        time.sleep(REST_SECONDS)
        ledger.note(ledger.CALMS, REST, f"{began:.3f}")
        self.done[REST] += 1

    def _settle(self) -> bool:
        """Wait until the site has recovered; tell whether it has."""
        has_recovered = self._site.settles(SETTLE_SECONDS)
        if not has_recovered:
            self.complaints.append(f"not all is well {SETTLE_SECONDS} s after the last fault")
        return has_recovered

    def cut_off(self, step: Step) -> None:
        """Have a tree taken for dead, while all others are well, and let it come back then.

        In the midst of other faults that does not happen: whoever has lost Redis itself recovers nobody.
        """
        place = step.chance.randrange(len(self._site.trees))
        way = step.chance.choice(WAYS_TO_BE_CUT_OFF)
        tree, proxy = self._site.trees[place], self._site.proxies[place]
        send = tree.signal if way == "supervisor" else tree.signal_all
        runs = self._site.runs_of(tree)
        ledger.note(ledger.FAULTS, CUT_OFF, way)
        proxy.refuse() if way == "network" else send(signal.SIGSTOP)
        self._wait_until_recovered(tree, runs)
        proxy.accept() if way == "network" else send(signal.SIGCONT)
        self._settle()

    def _wait_until_recovered(self, tree: Tree, runs: set[bytes]) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while runs & self._site.all_runs():
            if time.monotonic() > deadline:
                self.complaints.append(f"{tree.log_path.name} is silent, and nobody recovers its runs")
                return
            self._site.revive()
            time.sleep(0.1)
        self.done[CUT_OFF] += 1
