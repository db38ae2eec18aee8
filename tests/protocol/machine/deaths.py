"""Workers, their children and whole machines die, and others recover what they had."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.protocol.machine.attack import workers
from tests.protocol.machine.workers import Workers
from tests.protocol.store import LIMIT, Death


class Deaths(Workers):
    @rule(name=workers, busy=st.booleans())
    def worker_dies_supervised(self, name: str, busy: bool) -> None:
        self.die_supervised(name, busy, retries=False)

    @precondition(lambda self: self.faults)
    @rule(name=workers, busy=st.booleans())
    def worker_dies_and_its_job_is_tried_again(self, name: str, busy: bool) -> None:
        self.die_supervised(name, busy, retries=True)
        self.disturb()

    @rule(name=workers)
    def worker_is_killed_for_a_job_that_is_tried_again(self, name: str) -> None:
        self.be_busy(name, True)
        if (running := self.workers[name].running) is not None:
            self.expect_again(running)
        self.die_supervised(name, False, retries=False, later=True)

    def die_supervised(self, name: str, busy: bool, *, retries: bool, later: bool = False) -> None:
        self.be_busy(name, busy)
        worker = self.workers[name]
        running, finished = worker.shared_page()
        with self.heads_keep_order():
            self.store.recover(worker.run, Death(True, running, finished, retries, later))
        worker.begin_run()
        self.forget_order()

    @precondition(lambda self: self.faults)
    @rule(name=workers, answer_lost=st.booleans())
    def child_dies_and_its_job_is_tried_again(self, name: str, answer_lost: bool) -> None:
        """As a worker sees it that forks for each job."""
        self.be_busy(name, True)
        running = self.workers[name].running
        if running is not None:
            how = "again" if running.crashes + 1 < LIMIT else "failed"
            self.act(name, "end", how, answer_lost=answer_lost)
            self.disturb()

    @precondition(lambda self: self.faults)
    @rule(name=workers, busy=st.booleans())
    def machine_dies(self, name: str, busy: bool) -> None:
        self.be_busy(name, busy)
        self.dead_runs.append(self.workers[name].run)
        self.workers[name].begin_run()
        self.disturb()

    @precondition(lambda self: self.dead_runs)
    @rule(twice=st.booleans(), retries=st.booleans())
    def recover_dead(self, twice: bool, retries: bool) -> None:
        run = self.dead_runs.pop(0)
        for _ in range(1 + twice):
            self.store.recover(run, Death(retries=retries))

    @precondition(lambda self: self.faults)
    @rule(name=workers, busy=st.booleans())
    def frozen_worker_is_recovered(self, name: str, busy: bool) -> None:
        self.be_busy(name, busy)
        self.store.recover(self.workers[name].run, Death())
        self.disturb()
