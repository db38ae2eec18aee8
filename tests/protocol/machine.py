"""Hypothesis attacks the delivery protocol: any order of steps and faults, one set of laws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.protocol.model import LIMIT, Refused, Store, Worker

QUEUES = ("high", "low")
NAMES = ("ann", "bob")
workers = st.sampled_from(NAMES)
queues = st.sampled_from(QUEUES)


class DeliveryMachine(RuleBasedStateMachine):
    """Two workers, two queues; subclasses choose the store."""

    faults = True
    """Whether machines die, workers freeze and Redis forgets; without these exactly once is promised."""

    def make_store(self) -> Store:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make_store()
        self.workers = {name: Worker(self.store, name) for name in NAMES}
        self.dead_runs: list[str] = []
        self.numbers: Counter[str] = Counter()
        self.accepted: list[str] = []
        self.succeeded: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self.calm = True
        """Nothing crashed, froze or was rolled back: exactly once is promised."""
        self.rolled_back = False
        self.saved: tuple[object, list[str], list[str]] | None = None
        self.order: dict[str, list[str]] = {queue: [] for queue in QUEUES}

    # Producers

    @rule(queue=queues, count=st.integers(1, 4), answer_lost=st.booleans())
    def enqueue(self, queue: str, count: int, answer_lost: bool) -> None:
        for _ in range(count):
            self.enqueue_one(queue, answer_lost)

    def enqueue_one(self, queue: str, answer_lost: bool) -> None:
        job = f"{queue}-{len(self.accepted) + self.numbers['lost']}"
        self.numbers["producer"] += 1
        for _ in range(1 + answer_lost):
            self.store.enqueue(queue, job, "producer", self.numbers["producer"])
        self.accepted.append(job)
        self.order[queue].append(job)

    # Workers

    def act(self, name: str, step: str, *args: object, **options: object) -> Any:
        """Let a worker act; one whose run was recovered drops all it holds and begins anew."""
        worker = self.workers[name]
        try:
            return getattr(worker, step)(*args, **options)
        except Refused:
            worker.begin_run()
            return None

    @rule(name=workers, most=st.integers(1, 4), answer_lost=st.booleans())
    def claim(self, name: str, most: int, answer_lost: bool) -> None:
        self.act(name, "claim", most, QUEUES, answer_lost=answer_lost)

    @rule(name=workers)
    def begin_next(self, name: str) -> None:
        if (job := self.act(name, "begin_next")) is not None:
            self.begun[job.job] += 1
            assert self.rolled_back or self.begun[job.job] <= LIMIT

    @rule(name=workers, how=st.sampled_from(["done", "failed"]))
    def end(self, name: str, how: str) -> None:
        running = self.workers[name].running
        if running is not None and how == "done":
            self.succeeded[running.job] += 1
        self.act(name, "end", how)

    @rule(name=workers, hows=st.lists(st.sampled_from(["done", "done", "failed"]), min_size=1, max_size=3))
    def work(self, name: str, hows: list[str]) -> None:
        """Claim if need be, and perform a few jobs."""
        self.claim(name, 4, answer_lost=False)
        for how in hows:
            self.begin_next(name)
            self.end(name, how)

    @rule(name=workers, finish=st.integers(0, 2))
    def hold(self, name: str, finish: int) -> None:
        """A job lasts, after some short ones of the same batch."""
        self.work(name, ["done"] * finish)
        self.begin_next(name)
        self.act(name, "hold")

    # Faults

    @rule(name=workers)
    def worker_dies_supervised(self, name: str) -> None:
        worker = self.workers[name]
        running, finished = worker.shared_page()
        with self.heads_keep_order():
            self.store.recover(worker.run, running, finished, supervised=True)
        worker.begin_run()
        self.forget_order()

    @precondition(lambda self: self.faults)
    @rule(name=workers)
    def worker_dies_and_its_job_is_tried_again(self, name: str) -> None:
        worker = self.workers[name]
        running, finished = worker.shared_page()
        with self.heads_keep_order():
            self.store.recover(worker.run, running, finished, supervised=True, retries=True)
        worker.begin_run()
        self.disturb()

    @precondition(lambda self: self.faults)
    @rule(name=workers)
    def child_dies_and_its_job_is_tried_again(self, name: str) -> None:
        """As a worker sees it that forks for each job."""
        running = self.workers[name].running
        if running is not None:
            self.act(name, "end", "again" if running.crashes + 1 < LIMIT else "failed")
            self.disturb()

    @precondition(lambda self: self.faults)
    @rule(name=workers)
    def machine_dies(self, name: str) -> None:
        self.dead_runs.append(self.workers[name].run)
        self.workers[name].begin_run()
        self.disturb()

    @precondition(lambda self: self.dead_runs)
    @rule(twice=st.booleans(), retries=st.booleans())
    def recover_dead(self, twice: bool, retries: bool) -> None:
        run = self.dead_runs.pop(0)
        for _ in range(1 + twice):
            self.store.recover(run, None, [], supervised=False, retries=retries)

    @contextmanager
    def heads_keep_order(self) -> Iterator[None]:
        """Check that what is given back stands before all that waited, in the order of its claims."""
        before = {queue: self.store.waiting(queue) for queue in QUEUES}
        yield
        for queue in QUEUES:
            after = self.store.waiting(queue)
            back = after[: len(after) - len(before[queue])]
            assert after[len(back) :] == before[queue]
            # Two workers that died one after the other have left their jobs in the order of their deaths
            known = [job for job in back if job in self.order[queue]]
            assert known == [job for job in self.order[queue] if job in known]

    @precondition(lambda self: self.faults)
    @rule(name=workers)
    def frozen_worker_is_recovered(self, name: str) -> None:
        self.store.recover(self.workers[name].run, None, [], supervised=False)
        self.disturb()

    @rule(name=workers)
    def connection_breaks(self, name: str) -> None:
        self.workers[name].must_reconcile = True

    @rule(queue=queues, on=st.booleans())
    def pause_or_resume(self, queue: str, on: bool) -> None:
        (self.store.pause if on else self.store.resume)(queue)

    @rule()
    def redis_saves(self) -> None:
        self.saved = (self.store.snapshot(), list(self.accepted), list(self.dead_runs))

    @precondition(lambda self: self.faults and self.saved is not None)
    @rule()
    def redis_rolls_back(self) -> None:
        assert self.saved
        snapshot, accepted, dead_runs = self.saved
        self.store.roll_back(snapshot)
        self.numbers["lost"] += len(self.accepted) - len(accepted)
        self.accepted, self.dead_runs = list(accepted), list(dead_runs)
        self.rolled_back = True
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

    def disturb(self) -> None:
        self.calm = False
        self.forget_order()

    def forget_order(self) -> None:
        self.order = {queue: [] for queue in QUEUES}

    # Laws

    def located(self) -> Counter[str]:
        waiting = [job for queue in QUEUES for job in self.store.waiting(queue)]
        return Counter([*waiting, *self.store.in_flight(), *self.store.failed()])

    @invariant()
    def nothing_is_lost(self) -> None:
        located = self.located()
        lost = [job for job in self.accepted if not located[job] and not self.succeeded[job]]
        assert not lost, f"lost: {lost}"

    @invariant()
    def nothing_stands_twice_in_redis(self) -> None:
        twice = {job: count for job, count in self.located().items() if count > 1}
        assert not twice

    @invariant()
    def exactly_once_while_calm(self) -> None:
        if self.calm:
            assert all(count == 1 for count in self.begun.values())

    @invariant()
    def a_settled_success_never_comes_back(self) -> None:
        if not self.rolled_back and self.calm:
            settled = self.succeeded.keys() - self.unsettled()
            assert not settled & self.located().keys()

    def unsettled(self) -> set[str]:
        return set(self.store.in_flight())

    @invariant()
    def counters_count_what_ended(self) -> None:
        if self.calm:
            processed, raised = self.store.counters()
            located = self.located()
            ended = [job for job in self.accepted if not located[job]]
            assert processed == len(ended) + len(self.store.failed())
            assert raised <= len(self.store.failed())

    @invariant()
    def order_is_kept(self) -> None:
        for queue, order in self.order.items():
            waiting = [job for job in self.store.waiting(queue) if job in order]
            assert waiting == [job for job in order if job in waiting]

    def teardown(self) -> None:
        """Let all the dead be recovered and the living work on: everything ends."""
        for queue in QUEUES:
            self.store.resume(queue)
        self.forget_runs()
        for run in self.dead_runs:
            self.store.recover(run, None, [], supervised=False)
        for _ in range(3 * len(self.accepted) + 10):
            for name in NAMES:
                self.begin_next(name)
                self.end(name, "done")
                self.claim(name, 3, answer_lost=False)
        self.nothing_is_lost()
        assert not self.store.waiting("high") and not self.store.waiting("low")
        assert not self.store.in_flight()
