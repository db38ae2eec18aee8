"""The worker's side of the protocol: what it holds in memory, and how it survives lost answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.protocol.store import Claimed, Ending, Store


@dataclass
class Worker:
    """One worker process; it gets a new run whenever it begins anew."""

    store: Store
    name: str
    lives: int = 0
    next_token: int = 1
    batch: list[Claimed] = field(default_factory=list)
    running: Claimed | None = None
    endings: list[Ending] = field(default_factory=list)
    must_reconcile: bool = False

    def __post_init__(self) -> None:
        self.begin_run()

    @property
    def run(self) -> str:
        return f"{self.name}-{self.lives}"

    def begin_run(self) -> None:
        """Forget everything and register under a new name."""
        self.lives += 1
        self.next_token, self.batch, self.running, self.endings = 1, [], None, []
        self.must_reconcile = False
        self.store.register(self.run)

    def claim(self, most: int, queues: Sequence[str], *, answer_lost: bool = False) -> None:
        """Settle what has ended and claim the next batch, once the last one is used up."""
        if self.batch or self.running:
            return
        self.reconcile()
        if self.endings:
            self.store.settle(self.run, self.endings)
        claimed = self.store.claim(self.run, self.next_token, most, queues)
        if answer_lost:
            self.must_reconcile = True
            return
        self.endings = []
        self.batch = claimed
        self.next_token += len(claimed)

    def reconcile(self) -> None:
        """After a reconnect: give back what Redis says is here and memory does not know."""
        if not self.must_reconcile:
            return
        known = {job.token for job in [*self.batch, *([self.running] if self.running else [])]}
        known |= {ending.token for ending in self.endings}
        strays = {t for t in self.store.tokens(self.run) - known if t < self.next_token}
        self.store.settle(self.run, [Ending(token, "back") for token in strays])
        self.must_reconcile = False

    def begin_next(self) -> Claimed | None:
        """Begin the next job of the batch; one that has crashed before is performed alone."""
        if self.running or not self.batch:
            return None
        self.running = self.batch.pop(0)
        if self.running.crashes:
            self.hold()
        if self.running.job.startswith("queued-"):
            self.reconcile()
            self.store.begin(self.run, self.running.token, self.running.job)
        return self.running

    def end(self, how: str, *, answer_lost: bool = False) -> None:
        """End the running job; what is no success is settled before anything else happens."""
        if self.running is None:
            return
        self.endings.append(Ending(self.running.token, how))
        if how != "done":
            self.reconcile()
            self._settle(answer_lost=answer_lost)
        self.running = None

    def hold(self, *, answer_lost: bool = False) -> None:
        """Let nobody wait behind the running job, and mark it started."""
        if self.running is None:
            return
        self.reconcile()
        self.endings += [Ending(job.token, "back") for job in self.batch]
        self.batch = []
        if self.endings:
            self._settle(answer_lost=answer_lost)
        for _ in range(1 + answer_lost):
            self.store.start(self.run, self.running.token)

    def leave(self) -> None:
        """Settle what has ended, put back the rest, and begin a new life."""
        self.store.settle(self.run, self.endings)
        self.store.leave(self.run)
        self.begin_run()

    def _settle(self, *, answer_lost: bool) -> None:
        for _ in range(1 + answer_lost):
            self.store.settle(self.run, self.endings)
        self.endings = []

    def shared_page(self) -> tuple[int | None, list[int]]:
        """Return what the supervisor can tell of a dead worker: running token, finished tokens."""
        finished = [ending.token for ending in self.endings if ending.how == "done"]
        return (self.running.token if self.running else None), finished
