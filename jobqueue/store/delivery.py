"""What a worker does to Redis: one run, from its registration to its end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, repeat

import msgspec
from redis.exceptions import ResponseError

from jobqueue import clock, failure, rubyjson
from jobqueue.connection import keys
from jobqueue.exceptions import RunLost
from jobqueue.held import is_token
from jobqueue.keys import Keys, to_text
from jobqueue.link import Call, Link
from jobqueue.locks import Change, Lock
from jobqueue.retrying import Later
from jobqueue.scripts import load


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """A job in flight: its token in the run, the queue it came from, its payload."""

    token: int
    queue: str
    payload: bytes

    def shown(self, run_at: float) -> bytes:
        """Return Resque's text of a running job; ``run_at`` in seconds since the epoch."""
        return b'{"queue":%s,"run_at":"%s","payload":%s}' % (
            rubyjson.encode(self.queue).encode("utf-8", "replace"),
            clock.run_at(run_at).encode(),
            failure.embedded(self.payload),
        )


@dataclass(slots=True)
class Endings:
    """How jobs in flight have ended, as the next settle will tell Redis."""

    done: list[int] = field(default_factory=list)
    failed: list[tuple[int, bytes]] = field(default_factory=list)
    """Tokens with their entries for the Failed list."""
    killed: list[tuple[int, bytes]] = field(default_factory=list)
    """The same of jobs whose process died; Resque does not count them as failed."""
    later: list[tuple[int, Later]] = field(default_factory=list)
    """Tokens of jobs that are tried again, with what waits until then."""
    back: list[int] = field(default_factory=list)
    """Tokens to put back at the head of their queues, in the order of their claims."""
    again: list[tuple[int, bytes]] = field(default_factory=list)
    """The same with payloads that have changed."""
    locks: list[Change] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.done or self.failed or self.killed or self.later or self.back or self.again)

    def tokens(self) -> set[int]:
        pairs = (*self.failed, *self.killed, *self.later, *self.again)
        return {*self.done, *self.back, *(token for token, _ in pairs)}


class Run:
    """One life of a worker process in Redis; each method is one round trip.

    Every method raises RunLost once another process has recovered the run, and redis-py's errors when
    Redis cannot be asked. All of them may be called again after such an error: what Redis did the first
    time is not done twice.
    """

    def __init__(self, link: Link, worker_id: str) -> None:
        self.name = os.urandom(9).hex()
        self.worker_id = worker_id
        self.next_token = 1
        self._link = link
        self._keys = keys()
        self._scripts = Scripts(self._keys, self.name, worker_id)

    def register(self, started_at: float) -> None:
        """Begin the run and make the worker known. ``started_at`` in seconds since the epoch."""
        heartbeat = clock.heartbeat(self._link.now())
        self._link.run(self._scripts.register(clock.started(started_at), heartbeat))

    def claim(self, queues: Sequence[str], most: int, endings: Endings, woken_by: str = "") -> list[Claimed]:
        """Settle what has ended and take up to ``most`` jobs of the first queue that has any."""
        claim = self._scripts.claim(self.next_token, most, woken_by, queues)
        if endings.back or endings.again:
            # A Redis that has forgotten one script of a round trip runs it last: these have to be there first
            self.settle(endings)
            taken = self._exchange(claim)[-1]
        else:
            taken = self._exchange(*([self._scripts.settle(endings), claim] if endings else [claim]))[-1]
        if not taken:
            return []
        queue = to_text(taken[0])
        claimed = list(map(Claimed, count(self.next_token), repeat(queue), taken[1:]))
        self.next_token += len(claimed)
        return claimed

    def settle(self, endings: Endings) -> None:
        """Tell how jobs have ended."""
        self._exchange(self._scripts.settle(endings))

    def start(self, started: Sequence[tuple[int, bytes]], endings: Endings) -> None:
        """Settle what has ended, mark jobs as started and show them; tokens with what is shown of each."""
        starts = [self._scripts.start(token, shown) for token, shown in started]
        self._exchange(*([self._scripts.settle(endings), *starts] if endings else starts))

    def begin(self, token: int, lock: Lock) -> None:
        """Give back the lock of a unique job that begins: from now on an equal one may wait."""
        self._exchange(self._scripts.begin(token, lock))

    def known_queues(self) -> list[str]:
        """Return the names in Resque's set of queues."""
        names: Iterable[bytes] = self._link.command("SMEMBERS", self._keys.queues)
        return [to_text(name) for name in names]

    def tell_of_new_queues(self) -> None:
        """Wake one more worker that waits for queues to appear: one ring is one worker's."""
        self._link.run(Call(load("ring"), [self._keys.wake_any], []))

    def tokens(self) -> set[int]:
        """Return the tokens that are in flight, as Redis has it."""
        fields = self._link.command("HKEYS", self._keys.inflight(self.name))
        return {int(field) for field in fields if is_token(field)}

    def _exchange(self, *calls: Call) -> list[list[bytes]]:
        try:
            return self._link.run(*calls)
        except ResponseError as error:
            if str(error).startswith("LOSTRUN"):
                raise RunLost(str(error)) from error
            raise


class Scripts:
    """The scripts' calls for one run: which keys and arguments each of them gets."""

    def __init__(self, key: Keys, run: str, worker_id: str) -> None:
        self._key = key
        self._run = run
        self._worker_id = worker_id
        self._base = [key.runs, key.inflight(run)]
        self._prefixes = [key.queue(""), key.wake("")]
        self._settle_keys = [
            *self._base,
            key.failed,
            key.stat("processed"),
            key.stat("failed"),
            key.worker_stat("processed", worker_id),
            key.worker_stat("failed", worker_id),
            key.worker(worker_id),
            key.queues,
            key.later,
            key.wake_scheduler,
            key.unique,
        ]

    def register(self, started: str, heartbeat: str) -> Call:
        key, worker_id = self._key, self._worker_id
        to = [*self._base, key.workers, key.worker_started(worker_id), key.heartbeats]
        return Call(load("register"), to, [self._run, worker_id, started, heartbeat])

    def heartbeat(self, started: str, heartbeat: str) -> Call:
        key, worker_id = self._key, self._worker_id
        to = [key.runs, key.workers, key.worker_started(worker_id), key.heartbeats]
        return Call(load("heartbeat"), to, [self._run, worker_id, started, heartbeat])

    def claim(self, first: int, most: int, woken_by: str, queues: Sequence[str]) -> Call:
        to = [*self._base, self._key.paused, self._key.pause_all]
        return Call(load("claim"), to, [self._run, first, most, *self._prefixes, woken_by, *queues])

    def settle(self, endings: Endings) -> Call:
        ends = (endings.done, endings.failed, endings.killed, endings.later, endings.locks)
        counts = [len(each) for each in ends]
        backs = sorted([*((token, b"") for token in endings.back), *endings.again])
        later = ((token, pause_ms, member) for token, (member, pause_ms) in endings.later)
        parts = [part for each in (*endings.failed, *endings.killed, *later, *backs) for part in each]
        locks = chain.from_iterable(_in_order(endings.locks))
        args = [self._run, *self._prefixes, *counts, *locks, *endings.done, *parts]
        return Call(load("settle"), self._settle_keys, args)

    def start(self, token: int, shown: bytes) -> Call:
        to = [*self._base, self._key.worker(self._worker_id)]
        return Call(load("start"), to, [self._run, token, shown])

    def begin(self, token: int, lock: Lock) -> Call:
        return Call(load("begin"), [*self._base, self._key.unique], [self._run, token, lock.digest, lock.id])

    def recover(
        self,
        dead_since_ms: int | str,
        is_shown: bool,
        endings: Sequence[tuple[int, str, bytes, int]],
        locks: Sequence[Change] = (),
    ) -> Call:
        """``dead_since_ms`` is the last heartbeat that counts as dead, or "" for one known to be dead."""
        key, worker_id = self._key, self._worker_id
        to = [
            *self._base,
            key.failed,
            key.stat("processed"),
            key.queues,
            key.workers,
            key.heartbeats,
            key.worker(worker_id),
            key.worker_started(worker_id),
            key.worker_stat("processed", worker_id),
            key.worker_stat("failed", worker_id),
            key.later,
            key.wake_scheduler,
            key.unique,
        ]
        args = [self._run, worker_id, dead_since_ms, *self._prefixes, int(is_shown), len(locks)]
        return Call(load("recover"), to, [*args, *chain(*_in_order(locks)), *chain(*endings)])


def _in_order(locks: Sequence[Change]) -> list[Change]:
    """Return changes of locks, those first that give one back, which a job that waits again may take then."""
    return sorted(locks, key=lambda change: change[3] != b"")
