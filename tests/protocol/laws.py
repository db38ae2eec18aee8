"""What has to hold after every step of the attack on the delivery protocol."""

from __future__ import annotations

from collections import Counter

from hypothesis.stateful import RuleBasedStateMachine, invariant

from tests.protocol.store import QUEUES, Seen, Store, equals
from tests.protocol.worker import Worker

NAMES = ("ann", "bob")


class Laws(RuleBasedStateMachine):
    """Two workers, two queues, and what has happened to their jobs; subclasses choose the store."""

    seen: Seen

    def make_store(self) -> Store:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make_store()
        self.workers = {name: Worker(self.store, name) for name in NAMES}
        self.dead_runs: list[str] = []
        self.numbers: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self.tried_again: Counter[str] = Counter()
        """How often an attempt ended with the promise of another one."""
        self.equal_ones: Counter[str] = Counter()
        """How many more there are of a bare job that are just like it."""
        self.calls_begun: Counter[str] = Counter()
        """How often a job has begun with the arguments of each call."""
        self.last_calls: dict[str, tuple[str, str]] = {}
        """By kind of jobs that are unique until they begin: the last call that counts, and its job."""
        self.overtaken: set[str] = set()
        """Jobs that a worker had, and that others were allowed to follow before they began."""
        self.calm = True
        """Nothing crashed, froze or was rolled back: exactly once is promised."""
        self.rolled_back = False
        self.is_full = False
        self.saved: tuple[object, list[str], bool] | None = None
        self.order: dict[str, list[str]] = {queue: [] for queue in QUEUES}
        self.is_robbed = False
        """A stranger has taken jobs away, and their locks are still there."""

    @invariant()
    def laws_hold(self) -> None:
        self.seen = self.store.seen()
        self.conservation()
        self.nothing_is_done_that_was_not_performed()
        self.nothing_stands_in_two_places()
        self.exactly_once_while_calm()
        self.counters_count_what_ended()
        self.order_is_kept()
        self.every_lock_has_its_job()
        self.equal_jobs_wait_once()
        self.the_last_call_counts()
        self.each_tick_comes_once()

    def conservation(self) -> None:
        """enqueued = waiting + in flight + later + done + failed + removed, for each job by itself."""
        places = self.seen.places()
        waiting, in_flight, later, failed = (places[n] for n in ("waiting", "in flight", "later", "failed"))
        enqueued, done, removed = (
            self.store.ledger.enqueued,
            self.store.ledger.done,
            self.store.ledger.removed,
        )

        assert enqueued == waiting + in_flight + later + done + failed + removed

    def nothing_is_done_that_was_not_performed(self) -> None:
        assert self.store.ledger.done <= self.succeeded

    def nothing_stands_in_two_places(self) -> None:
        standing = sum(self.seen.places().values(), Counter[str]())
        assert all(count <= 1 + self.equal_ones[job] for job, count in standing.items())

    def exactly_once_while_calm(self) -> None:
        if self.calm:
            for begun in (self.begun, self.calls_begun):
                for name, count in begun.items():
                    assert count <= 1 + self.equal_ones[name] + self.tried_again[name]

    def counters_count_what_ended(self) -> None:
        if self.calm:
            ended = self.begun.total() - sum(worker.running is not None for worker in self.workers.values())
            unsettled = sum(len(worker.endings) for worker in self.workers.values())
            assert ended - unsettled <= self.seen.processed <= ended
            assert self.seen.raised <= self.seen.processed - self.store.ledger.done.total()

    def order_is_kept(self) -> None:
        for queue, order in self.order.items():
            waiting = [job for job in self.seen.names_waiting(queue) if job in order]
            assert waiting == [job for job in order if job in waiting]

    def every_lock_has_its_job(self) -> None:
        assert self.is_robbed or set(self.seen.locks.values()) <= self.seen.alive().keys()

    def equal_jobs_wait_once(self) -> None:
        """Of those that have to end first there is one; of the others one that has not begun yet."""
        alive = self.seen.alive()
        for kind in map(equals, alive):
            exclusive = [job for job in alive if equals(job) == kind and job not in self.overtaken]
            waiting = [job for job in exclusive if kind.startswith("done") or not self.begun[job]]
            assert not kind or waiting in ([], [self.seen.locks.get(kind)]), (kind, waiting)

    def the_last_call_counts(self) -> None:
        """Of jobs that are unique until they begin the last call has its arguments in one, or is over."""
        calls, failed = self.seen.calls(), self.seen.places()["failed"]
        for call, job in self.last_calls.values():
            is_over = self.calls_begun[call] or self.store.ledger.removed[job] or failed[job]
            assert call in calls or is_over, (call, job)

    def each_tick_comes_once(self) -> None:
        assert all(count == 1 for count in self.store.ledger.ticks.values())
