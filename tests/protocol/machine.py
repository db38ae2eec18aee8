"""Hypothesis attacks the delivery protocol: any order of steps and faults, one set of laws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.protocol.laws import NAMES, QUEUES, Laws
from tests.protocol.store import LIMIT, Claimed, Full, Refused, equals

ALL = "all"
workers = st.sampled_from(NAMES)
queues = st.sampled_from(QUEUES)
places = st.integers(0, 9)
kinds = st.sampled_from(["queued-a", "done-a", "done-b"])
ENTRIES = ("hourly", "daily")
entries = st.sampled_from(ENTRIES)


class DeliveryMachine(Laws):
    """Takes the steps of producers, operators and workers, and does to them what they have to stand."""

    faults = True
    """Whether machines die, workers freeze and Redis forgets; without these exactly once is promised."""

    @initialize(
        some=st.lists(queues, min_size=2, max_size=6),
        failed=st.integers(0, 4),
        unique=st.lists(kinds, max_size=2),
    )
    def begin_amid_work(self, some: list[str], failed: int, unique: list[str]) -> None:
        for queue in some:
            self.enqueue_one(queue, answer_lost=False)
        for kind in unique:
            self.enqueue_unique("high", kind, False, "drop", False)
        self.work("ann", ["failed"] * failed)

    # Producers and operators

    @rule(queue=queues, count=st.integers(1, 4), answer_lost=st.booleans())
    def enqueue(self, queue: str, count: int, answer_lost: bool) -> None:
        for _ in range(count):
            self.enqueue_one(queue, answer_lost)

    def enqueue_one(self, queue: str, answer_lost: bool) -> None:
        job = self.new_job()
        with suppress(Full):
            for _ in range(1 + answer_lost):
                self.store.enqueue(queue, job, "producer", self.numbers["push"] + 1)
            self.numbers["push"] += 1
            self.order[queue].append(job)

    @rule(queue=queues, answer_lost=st.booleans())
    def delay(self, queue: str, answer_lost: bool) -> None:
        job = self.new_job()
        with suppress(Full):
            for _ in range(1 + answer_lost):
                self.store.delay(queue, job, "producer", self.numbers["push"] + 1)
            self.numbers["push"] += 1

    @rule(
        queue=queues,
        kind=kinds,
        delayed=st.booleans(),
        mode=st.sampled_from(["drop", "raise", "replace", "debounce"]),
        answer_lost=st.booleans(),
        performed=st.integers(0, 4),
    )
    def enqueue_unique(
        self, queue: str, kind: str, delayed: bool, mode: str, answer_lost: bool, performed: int = 0
    ) -> None:
        """While an answer is lost and the call is sent again, some jobs may be performed."""
        job = f"{kind}-{self.new_job()}"
        step = self.store.delay_unique if delayed else self.store.enqueue_unique
        mode = mode if delayed or mode != "debounce" else "drop"
        call = queue, job, mode, "producer", self.numbers["push"] + 1
        with suppress(Full):
            counts = self.note_call(queue, job, step(*call), mode, is_delayed=delayed)
            if answer_lost:
                self.work("bob", ["done"] * performed)
                before = self.store.seen()
                holder = step(*call)
                assert not counts or self.store.seen() == before, "it counts twice"
                if not counts:
                    self.note_call(queue, job, holder, mode, is_delayed=delayed)

    def note_call(self, queue: str, job: str, holder: str, mode: str, *, is_delayed: bool) -> bool:
        """Note what has become of a call; tell whether it was let in, or has replaced another."""
        seen, kind = self.store.seen(), equals(job)
        if kind.startswith("queued") and (not holder or mode in ("replace", "debounce")):
            self.last_calls[kind] = job, holder or job
            equal = {each for each in seen.in_flight_by_name() if equals(each) == kind and each != holder}
            self.overtaken |= {each for each in equal if not self.begun[each]}
        if holder and job not in seen.calls():
            return False
        self.numbers["push"] += 1
        if holder:
            # Its counts begin anew, and it may wait elsewhere
            self.numbers["put back"] += LIMIT
            self.forget_in_order(holder)
        elif not is_delayed:
            self.order[queue].append(job)
        return True

    @rule(
        name=workers,
        queue=queues,
        delayed=st.booleans(),
        how=st.sampled_from(["done", "failed", "later", "goes on"]),
    )
    def an_equal_job_comes_while_one_runs(self, name: str, queue: str, delayed: bool, how: str) -> None:
        self.be_busy(name, True)
        running = self.workers[name].running
        if running is not None and equals(running.job):
            self.enqueue_unique(queue, equals(running.job), delayed, "drop", False)
            if how != "goes on":
                self.end(name, how, answer_lost=False)

    @rule(
        name=workers,
        queue=queues,
        delayed=st.booleans(),
        mode=st.sampled_from(["drop", "replace", "debounce"]),
    )
    def an_equal_job_comes_while_one_is_claimed(
        self, name: str, queue: str, delayed: bool, mode: str
    ) -> None:
        self.claim(name, 4, answer_lost=False)
        unique = [job.job for job in self.workers[name].batch if equals(job.job)]
        for job in unique[:1]:
            self.enqueue_unique(queue, equals(job), delayed, mode, False)

    @rule(queue=queues, kind=kinds, delayed=st.booleans(), performed=st.integers(0, 4))
    def a_job_is_replaced_and_the_answer_is_lost(
        self, queue: str, kind: str, delayed: bool, performed: int
    ) -> None:
        self.enqueue_unique(queue, kind, delayed, "drop", False)
        self.enqueue_unique(queue, kind, delayed, "replace", True, performed)

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

    @precondition(lambda self: self.faults)
    @rule(queue=queues, is_noticed=st.booleans())
    def stranger_takes_jobs_away(self, queue: str, is_noticed: bool) -> None:
        self.store.take_away(queue)
        self.is_robbed = True
        if is_noticed:
            self.look_after_locks()

    @rule()
    def look_after_locks(self) -> None:
        self.store.release_orphans()
        self.is_robbed = False

    @precondition(lambda self: self.seen.later)
    @rule(most=st.integers(1, 4), again=st.booleans())
    def promote(self, most: int, again: bool) -> None:
        """Some jobs are due, and one scheduler or two bring them."""
        for _ in range(1 + again):
            self.store.promote(most)

    def new_job(self) -> str:
        self.numbers["job"] += 1
        return f"job-{self.numbers['job']}"

    @rule(what=st.sampled_from([*QUEUES, ALL, *ENTRIES]), on=st.booleans())
    def pause_or_resume(self, what: str, on: bool) -> None:
        with suppress(Full):
            if what == ALL:
                (self.store.pause_all if on else self.store.resume_all)()
            elif what in ENTRIES:
                (self.store.pause_entry if on else self.store.resume_entry)(what)
            else:
                (self.store.pause if on else self.store.resume)(what)

    @rule(queue=queues, some=st.lists(places, min_size=1, max_size=3), whole=st.booleans())
    def remove(self, queue: str, some: list[int], whole: bool) -> None:
        """Remove some jobs, or the whole queue."""
        waiting = self.seen.names_waiting(queue)
        if whole:
            self.store.remove_queue(queue)
        elif waiting:
            self.store.remove_jobs(queue, sorted({waiting[place % len(waiting)] for place in some}))

    @precondition(lambda self: self.seen.later)
    @rule(some=st.lists(places, min_size=1, max_size=3))
    def remove_delayed(self, some: list[int]) -> None:
        delayed = [job for _, job, *_ in self.seen.later]
        self.store.remove_delayed(sorted({delayed[place % len(delayed)] for place in some}))

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
            self.calls_begun[job.call] += 1
            most = LIMIT + self.numbers["put back"] + self.tried_again[job.job]
            assert self.rolled_back or self.begun[job.job] <= most

    @rule(name=workers, how=st.sampled_from(["done", "failed", "later"]), answer_lost=st.booleans())
    def end(self, name: str, how: str, answer_lost: bool) -> None:
        running = self.workers[name].running
        if running is not None and how == "done":
            self.succeeded[running.job] += 1
        elif running is not None and how == "later":
            self.expect_again(running)
        self.act(name, "end", how, answer_lost=answer_lost)

    def expect_again(self, running: Claimed) -> None:
        """An attempt ends, and another one follows, for which the job waits behind all others."""
        self.tried_again.update({running.job, running.call})
        self.forget_in_order(running.job)

    @rule(
        name=workers,
        hows=st.lists(st.sampled_from(["done", "done", "failed", "later"]), min_size=1, max_size=3),
    )
    def work(self, name: str, hows: list[str]) -> None:
        """Claim if need be, and perform a few jobs."""
        self.claim(name, 4, answer_lost=False)
        for how in hows:
            self.begin_next(name)
            self.end(name, how, answer_lost=False)

    @rule(name=workers, finish=st.integers(0, 2), answer_lost=st.booleans())
    def hold(self, name: str, finish: int, answer_lost: bool) -> None:
        """A job lasts, after some short ones of the same batch."""
        self.work(name, ["done"] * finish)
        self.begin_next(name)
        with self.heads_keep_order():
            self.act(name, "hold", answer_lost=answer_lost)
        if any(held for run, held in self.store.seen().in_flight.items() if run != self.workers[name].run):
            # What another worker gives back later stands before it, though it may have come later
            self.forget_order()

    @rule(name=workers, in_time=st.booleans())
    def leave(self, name: str, in_time: bool) -> None:
        """A worker is stopped, between two jobs or, too late, in the midst of one."""
        if self.workers[name].running is not None:
            if in_time:
                self.end(name, "done", answer_lost=False)
            else:
                self.numbers["put back"] += 1
                self.disturb()
        with self.heads_keep_order():
            self.act(name, "leave")
        self.forget_order()

    def be_busy(self, name: str, busy: bool) -> None:
        """Let a worker perform a job, as faults are worse in the midst of one."""
        if busy:
            self.claim(name, 3, answer_lost=False)
            self.begin_next(name)

    # Faults

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
            self.store.recover(worker.run, running, finished, True, retries, later)
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
            self.store.recover(run, None, [], supervised=False, retries=retries)

    @contextmanager
    def heads_keep_order(self) -> Iterator[None]:
        """Check that what is given back stands before all that waited, in the order of its claims."""
        before = self.store.seen()
        yield
        after = self.store.seen()
        for queue in QUEUES:
            waited, waiting = before.names_waiting(queue), after.names_waiting(queue)
            back = waiting[: len(waiting) - len(waited)]
            assert waiting[len(back) :] == waited
            # Two workers that died one after the other have left their jobs in the order of their deaths
            known = [job for job in back if job in self.order[queue]]
            assert known == [job for job in self.order[queue] if job in known]

    @precondition(lambda self: self.faults)
    @rule(name=workers, busy=st.booleans())
    def frozen_worker_is_recovered(self, name: str, busy: bool) -> None:
        self.be_busy(name, busy)
        self.store.recover(self.workers[name].run, None, [], supervised=False)
        self.disturb()

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

    def disturb(self) -> None:
        self.calm = False
        self.forget_order()

    def forget_in_order(self, job: str) -> None:
        self.order = {queue: [each for each in order if each != job] for queue, order in self.order.items()}

    def forget_order(self) -> None:
        self.order = {queue: [] for queue in QUEUES}

    # The end

    def teardown(self) -> None:
        """Let all the dead be recovered and the living work on: everything ends."""
        self.store.free()
        self.store.resume_all()
        for queue in QUEUES:
            self.store.resume(queue)
        self.forget_runs()
        for run in self.dead_runs:
            self.store.recover(run, None, [], supervised=False)
        steps = 0
        while steps < 2 or self.is_something_left():
            self.work_on()
            steps += 1
            assert steps < 3 * self.numbers["job"] + 10, "they go on without end"
        self.laws_hold()
        self.store.release_orphans()
        assert self.store.seen().locks == {}

    def is_something_left(self) -> bool:
        seen = self.store.seen()
        return bool(seen.waiting or seen.later) or any(seen.in_flight.values())

    def work_on(self) -> None:
        """Bring what is due, and let each worker take a step."""
        self.store.promote(4)
        for name in NAMES:
            self.begin_next(name)
            self.end(name, "done", answer_lost=False)
            self.claim(name, 3, answer_lost=False)
