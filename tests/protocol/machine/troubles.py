"""Connections break, messages come late, and Redis is full, or forgets."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.protocol.machine.attack import workers
from tests.protocol.machine.workers import Workers
from tests.protocol.store import QUEUES, Refused


class Troubles(Workers):
    @rule(name=workers)
    def connection_breaks(self, name: str) -> None:
        self.workers[name].must_reconcile = True

    @precondition(lambda self: not self.rolled_back)  # no connection outlives the Redis that it leads to
    @rule(name=workers, what=st.sampled_from(["push", "claim", "registration"]), age=st.integers(0, 4))
    def an_old_message_arrives(self, name: str, what: str, age: int) -> None:
        """From a connection that was given up; nobody reads its answer."""
        worker = self.workers[name]
        if what == "push" and self.numbers["push"] > age and not self.is_full:
            self.store.enqueue("low", "straggler", "producer", self.numbers["push"] - age)
        elif what == "registration" and worker.run in self.seen.in_flight:
            self.store.register_again(worker.run)
        elif what == "claim" and worker.next_token > age:
            with suppress(Refused):
                self.store.claim(worker.run, worker.next_token - age, 2, QUEUES)
            worker.must_reconcile = True

    @rule(how=st.sampled_from(["forgets its scripts", "is full", "has room"]))
    def redis_changes(self, how: str) -> None:
        if how == "forgets its scripts":
            self.store.forget_scripts()
        else:
            self.is_full = how == "is full"
            (self.store.fill if self.is_full else self.store.free)()

    @rule()
    def redis_saves(self) -> None:
        self.saved = (self.store.snapshot(), list(self.dead_runs), self.is_robbed)

    @precondition(lambda self: self.faults and self.saved is not None)
    @rule()
    def redis_rolls_back(self) -> None:
        assert self.saved
        self.redis_changes("has room")
        snapshot, self.dead_runs, self.is_robbed = self.saved
        self.store.roll_back(snapshot)
        self.rolled_back = True
        self.last_calls = {}
        self.saved = None
        for worker in self.workers.values():
            worker.must_reconcile = True
        self.forget_runs()
        self.disturb()

    @precondition(lambda self: self.faults)
    @rule(name=workers)
    def redis_loses_a_settle(self, name: str) -> None:
        self.work(name, ["done"] * 4)
        self.redis_saves()
        self.claim(name, 2, answer_lost=False)
        self.redis_rolls_back()

    def forget_runs(self) -> None:
        """Runs that a rollback brought back have no process: somebody will recover them."""
        alive = {worker.run for worker in self.workers.values()}
        lives = {f"{w.name}-{n}" for w in self.workers.values() for n in range(1, w.lives)}
        self.dead_runs = sorted(lives - alive)
