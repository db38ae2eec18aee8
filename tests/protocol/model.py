"""The delivery protocol of docs/inside.md as a small pure-Python model.

``ModelStore`` is what the Lua scripts do to Redis, on dicts and lists. ``Worker`` is the worker's side:
its memory, and what it may do after an answer was lost. The stateful test drives both, first with
``ModelStore``, then with the real scripts (``RedisStore`` has the same methods).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

LIMIT = 3
"""A job in flight in this many dead processes is poison."""


class Refused(Exception):
    """The run was recovered: nothing it asks for happens."""


@dataclass
class Held:
    """A payload in flight."""

    queue: str
    job: str
    crashes: int
    started: bool = False


@dataclass(frozen=True)
class Claimed:
    token: int
    queue: str
    job: str
    crashes: int


@dataclass(frozen=True)
class Ending:
    """What a settle says of one token."""

    token: int
    how: str
    """``done``, ``failed``, ``back``, or ``again``: back with one more crash."""


class Store(Protocol):
    """What the scripts offer."""

    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None: ...
    def register(self, run: str) -> None: ...
    def claim(self, run: str, first: int, most: int, queues: Sequence[str]) -> list[Claimed]: ...
    def settle(self, run: str, endings: Sequence[Ending]) -> None: ...
    def start(self, run: str, token: int) -> None: ...
    def tokens(self, run: str) -> set[int]: ...
    def recover(
        self, run: str, running: int | None, finished: Sequence[int], supervised: bool, retries: bool = False
    ) -> None: ...
    def pause(self, queue: str) -> None: ...
    def resume(self, queue: str) -> None: ...
    def waiting(self, queue: str) -> list[str]: ...
    def in_flight(self) -> list[str]: ...
    def failed(self) -> list[str]: ...
    def counters(self) -> tuple[int, int]: ...
    def snapshot(self) -> object: ...
    def roll_back(self, snapshot: object) -> None: ...


@dataclass
class ModelStore:
    """Redis as the scripts see it."""

    queues: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    runs: dict[str, dict[int, Held]] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    processed: int = 0
    raised: int = 0

    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        if self.sent.get(producer, 0) >= number:
            return
        self.queues.setdefault(queue, []).append((job, 0))
        self.sent[producer] = number

    def register(self, run: str) -> None:
        self.runs[run] = {}

    def _held(self, run: str) -> dict[int, Held]:
        if run not in self.runs:
            raise Refused
        return self.runs[run]

    def claim(self, run: str, first: int, most: int, queues: Sequence[str]) -> list[Claimed]:
        held = self._held(run)
        if first not in held:
            queue = next((q for q in queues if q not in self.paused and self.queues.get(q)), None)
            if queue is None:
                return []
            taken, self.queues[queue] = self.queues[queue][:most], self.queues[queue][most:]
            for offset, (job, crashes) in enumerate(taken):
                held[first + offset] = Held(queue, job, crashes)
        return [Claimed(t, h.queue, h.job, h.crashes) for t, h in sorted(held.items()) if t >= first]

    def settle(self, run: str, endings: Sequence[Ending]) -> None:
        held = self._held(run)
        self._settle(held, endings)

    def _settle(self, held: dict[int, Held], endings: Sequence[Ending]) -> None:
        for ending in sorted(endings, key=lambda e: -e.token):
            job = held.pop(ending.token, None)
            if job is None:
                continue
            if ending.how in ("back", "again"):
                crashes = job.crashes + (ending.how == "again")
                self.queues.setdefault(job.queue, []).insert(0, (job.job, crashes))
                continue
            self.processed += 1
            if ending.how == "failed":
                self.raised += 1
                self.failures.append(job.job)

    def start(self, run: str, token: int) -> None:
        held = self._held(run)
        if token in held:
            held[token].started = True

    def tokens(self, run: str) -> set[int]:
        return set(self._held(run))

    def recover(
        self, run: str, running: int | None, finished: Sequence[int], supervised: bool, retries: bool = False
    ) -> None:
        """Take a dead run apart.

        ``supervised``: its supervisor knows which token was running and which had finished. Otherwise only
        Redis is left to tell: each of them may have been the one that killed. One that is known to have
        begun fails, unless its definition says ``retries``; any fails that has crashed too often.
        """
        held = self.runs.pop(run, {})
        for token, job in sorted(held.items(), reverse=True):
            has_begun = token == running if supervised else job.started
            crashes = job.crashes + (has_begun or not supervised)
            if token in finished:
                self.processed += 1
            elif (has_begun and not retries) or crashes > job.crashes and crashes >= LIMIT:
                self.failures.append(job.job)
                self.processed += supervised
            else:
                self.queues.setdefault(job.queue, []).insert(0, (job.job, crashes))

    def pause(self, queue: str) -> None:
        self.paused.add(queue)

    def resume(self, queue: str) -> None:
        self.paused.discard(queue)

    def waiting(self, queue: str) -> list[str]:
        return [job for job, _ in self.queues.get(queue, [])]

    def in_flight(self) -> list[str]:
        return [held.job for run in self.runs.values() for held in run.values()]

    def failed(self) -> list[str]:
        return list(self.failures)

    def counters(self) -> tuple[int, int]:
        return self.processed, self.raised

    def snapshot(self) -> object:
        return copy.deepcopy(self.__dict__)

    def roll_back(self, snapshot: object) -> None:
        self.__dict__.update(copy.deepcopy(snapshot))


@dataclass
class Worker:
    """The worker's side: what it holds in memory, and how it survives lost answers."""

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
        return self.running

    def end(self, how: str) -> Claimed | None:
        """End the running job; a failure is settled before anything else happens."""
        ended = self.running
        if ended is None:
            return None
        self.endings.append(Ending(ended.token, how))
        if how == "failed":
            self.reconcile()
            self.store.settle(self.run, self.endings)
            self.endings = []
        self.running = None
        return ended

    def shared_page(self) -> tuple[int | None, list[int]]:
        """Return what the supervisor can tell of a dead worker: running token, finished tokens."""
        return (self.running.token if self.running else None), [ending.token for ending in self.endings]

    def hold(self) -> None:
        """Let nobody wait behind the running job, and mark it started."""
        if self.running is None:
            return
        self.reconcile()
        backs = [Ending(job.token, "back") for job in self.batch]
        self.store.settle(self.run, [*self.endings, *backs])
        self.batch, self.endings = [], []
        self.store.start(self.run, self.running.token)
