"""What a store of the delivery protocol takes, tells and offers: the model and the scripts alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

QUEUES = ("high", "low")
LIMIT = 3
"""A job in flight in this many dead processes is poison."""


class Refused(Exception):
    """The run was recovered: nothing it asks for happens."""


class Full(Exception):
    """Redis has no memory left: what is to be written is not."""


@dataclass
class Held:
    """A payload in flight."""

    queue: str
    job: str
    crashes: int
    attempts: int
    """How many have failed before."""
    call: str
    """Whose arguments it has: its own, unless another one has replaced it."""
    started: bool = False


@dataclass(frozen=True)
class Claimed:
    token: int
    queue: str
    job: str
    crashes: int
    attempts: int
    call: str


@dataclass(frozen=True)
class Ending:
    """What a settle says of one token."""

    token: int
    how: str
    """``done``, ``failed``, ``later`` (tried again), ``back``, or ``again`` (back with one more crash)."""


@dataclass(frozen=True)
class Death:
    """What is known of a dead run.

    ``supervised``: its supervisor knows which token was running and which had finished, and has ended it for
    the sake of the first if that is to be tried ``later``. Otherwise only Redis is left to tell: each of them
    may have been the one that killed. One that is known to have begun fails, unless its definition says
    ``retries``; any fails that has crashed too often.
    """

    supervised: bool = False
    running: int | None = None
    finished: Sequence[int] = ()
    retries: bool = False
    later: bool = False


Waiting = tuple[str, int, int, str]
"""A waiting job, its crashes, its failed attempts, and whose arguments it has."""
Delayed = tuple[str, str, int, int, str]
"""A delayed job: its queue, and then as a waiting one."""
Named = tuple[int, Delayed]
"""A bare job, behind the time for which it waits."""
Meanwhile = Literal["Ruby takes the lock", "another scheduler brings them"]
"""What may happen between a scheduler's look at bare jobs and its script."""


@dataclass
class Ledger:
    """How often each job came in, was done, and was removed."""

    enqueued: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    ticks: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often each tick of a recurring job has enqueued one."""


@dataclass(frozen=True)
class Seen:
    """All that stands in Redis at one moment. A failed job comes with whether it was retried."""

    waiting: dict[str, list[Waiting]]
    in_flight: dict[str, dict[int, Held]]
    later: list[Delayed]
    bare: dict[int, list[Delayed]]
    """By time: what waits in resque-scheduler's keys."""
    is_ruby_master: bool
    failed: list[tuple[str, bool]]
    paused: set[str]
    all_paused: bool
    processed: int
    raised: int
    locks: dict[str, str]
    """Which job holds the lock of each kind of equal ones."""
    fired: dict[str, int]
    """Up to which tick each recurring job is dealt with."""
    paused_entries: set[str]

    def delayed(self) -> list[Delayed]:
        """The jobs of both kinds that wait for their moments."""
        return [*self.later, *(each for jobs in self.bare.values() for each in jobs)]

    def names_waiting(self, queue: str) -> list[str]:
        return [job for job, *_ in self.waiting.get(queue, [])]

    def places(self) -> dict[str, Counter[str]]:
        """How often each job stands in each place."""
        return {
            "waiting": Counter(job for jobs in self.waiting.values() for job, *_ in jobs),
            "in flight": Counter(held.job for run in self.in_flight.values() for held in run.values()),
            "later": Counter(job for _, job, *_ in self.delayed()),
            "failed": Counter(job for job, _ in self.failed),
        }

    def alive(self) -> Counter[str]:
        """The jobs that wait, whether or not for a moment, or are in flight."""
        return sum((names for place, names in self.places().items() if place != "failed"), Counter[str]())

    def in_flight_by_name(self) -> set[str]:
        return set(self.places()["in flight"])

    def calls(self) -> set[str]:
        """Return whose arguments the jobs have that wait or are in flight."""
        waiting = [call for jobs in self.waiting.values() for *_, call in jobs]
        in_flight = [held.call for run in self.in_flight.values() for held in run.values()]
        return {*waiting, *in_flight, *(call for *_, call in self.delayed())}


class Store(Protocol):
    """What the scripts offer. Steps that write raise Full where there is no memory left."""

    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None: ...
    def delay(self, queue: str, job: str, producer: str, number: int) -> None: ...
    def enqueue_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str: ...
    def delay_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str: ...
    def release_orphans(self) -> None: ...
    def take_away(self, queue: str) -> None: ...
    def promote(self, most: int) -> None: ...
    def begin_entry(self, entry: str, tick: int) -> None: ...
    def remove_entry(self, entry: str) -> None: ...
    def fire(self, entry: str, tick: int, queue: str, job: str) -> bool: ...
    def pause_entry(self, entry: str) -> None: ...
    def resume_entry(self, entry: str) -> None: ...
    def remove_delayed(self, jobs: Sequence[str]) -> int: ...
    def delay_bare(self, queue: str, job: str, times: Sequence[int], producer: str, number: int) -> None: ...
    def take_master_lock(self) -> None: ...
    def release_master_lock(self) -> None: ...
    def promote_bare(self, until: int, most: int, meanwhile: Meanwhile | None) -> int: ...
    def enqueue_bare_now(self, named: Sequence[Named]) -> int: ...
    def remove_bare(self, named: Sequence[Named]) -> int: ...
    def move_bare(self, named: Sequence[Named], to: int) -> int: ...
    def register(self, run: str) -> None: ...
    def register_again(self, run: str) -> None: ...
    def claim(self, run: str, first: int, most: int, queues: Sequence[str]) -> list[Claimed]: ...
    def settle(self, run: str, endings: Sequence[Ending]) -> None: ...
    def start(self, run: str, token: int) -> None: ...
    def begin(self, run: str, token: int, job: str) -> None: ...
    def tokens(self, run: str) -> set[int]: ...
    def recover(self, run: str, death: Death) -> None: ...
    def leave(self, run: str) -> None: ...
    def pause(self, queue: str) -> None: ...
    def resume(self, queue: str) -> None: ...
    def pause_all(self) -> None: ...
    def resume_all(self) -> None: ...
    def remove_jobs(self, queue: str, jobs: Sequence[str]) -> int: ...
    def remove_queue(self, queue: str) -> None: ...
    def retry(self, place: int, as_job: str, is_stale: bool) -> str: ...
    def remove_failure(self, place: int) -> None: ...
    def clear_failures(self) -> None: ...
    def clear_retried(self, meanwhile: int | None) -> int: ...
    def forget_scripts(self) -> None: ...
    def fill(self) -> None: ...
    def free(self) -> None: ...
    def seen(self) -> Seen: ...
    def snapshot(self) -> object: ...
    def roll_back(self, snapshot: object) -> None: ...
    @property
    def ledger(self) -> Ledger: ...


def equals(job: str) -> str:
    """Return what a unique job shares with its equals, "" for one that is not unique.

    ``queued-a-7`` is unique until it begins, ``done-a-8`` until it has ended.
    """
    kind, _, rest = job.partition("-")
    return f"{kind}-{rest[0]}" if kind in ("queued", "done") else ""
