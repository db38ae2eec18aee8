"""What a worker has in flight: its own memory of it, the same in Redis, and the way between the two.

Two threads use it, the one that performs and the watchdog; each step is done under one lock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from jobqueue.attention import Attention
from jobqueue.connection import keys
from jobqueue.exceptions import RunLost
from jobqueue.keys import to_text
from jobqueue.link import UNREACHABLE, Link
from jobqueue.patience import GaveUp, Patience
from jobqueue.performing import label_of
from jobqueue.recovery import dirty_exit, put_back
from jobqueue.sharedpage import Lane, SharedPage
from jobqueue.store import runs
from jobqueue.store.delivery import Claimed, Endings, Run

HOLD_SECONDS = 0.02
"""A job that runs this long lets the others of its batch go, and is shown on the pages."""
HOLD_AGAIN_SECONDS = 1.0
"""How long after a hold that Redis did not answer the next one is tried."""
STALE_SECONDS = 1.0
"""No job begins this long after its claim: its process was stopped meanwhile, and may have been given up."""

T = TypeVar("T")

_log = logging.getLogger("jobqueue")


class Running:
    """A job that was handed out and has not ended."""

    __slots__ = ("hold_at", "is_alone", "is_held", "is_shown", "job", "lane")

    def __init__(self, job: Claimed, lane: Lane, hold_at: float, is_alone: bool) -> None:
        self.job = job
        self.lane = lane
        self.hold_at = hold_at
        self.is_alone = is_alone
        self.is_held = False
        """Redis knows that it has begun."""
        self.is_shown = False
        """Redis may show it as what this worker does: it shows one job, until any other ends."""


class InFlight:
    """The jobs of one worker process between their claim and their settling."""

    def __init__(self, worker_id: str, started_at: float, page: SharedPage, attention: Attention) -> None:
        self._worker_id = worker_id
        self._started_at = started_at
        self._page = page
        self._patience = Patience(attention, f"worker {worker_id}", is_worth_it=self._has_anything)
        self._lock = threading.RLock()
        self._link = Link()
        self._running: dict[int, Running] = {}
        """By tokens, in the order of their beginning."""
        self._batch: deque[Claimed] = deque()
        self._endings = Endings()
        self._begin_run()

    def known_queues(self) -> list[str]:
        """Return the names in Resque's set of queues."""
        with self._lock:
            names: Iterable[bytes] = self._patience(lambda: self._link.command("SMEMBERS", keys().queues))
        return [to_text(name) for name in names]

    def tell_of_new_queues(self) -> None:
        """Wake the next worker that waits for queues to appear: one ring is one worker's."""
        with self._lock:
            self._patience(lambda: self._run.tell_of_new_queues())

    def claim(self, queues: Sequence[str], most: int, woken_by: str = "") -> bool:
        """Settle what has ended and claim the next batch; tell whether there is one to perform."""
        with self._lock:
            self._give_back()
            asked_at = time.monotonic()
            try:
                claimed = self._ask(lambda: self._run.claim(queues, most, self._endings, woken_by))
                self._forget_endings()
                self._batch.extend(claimed)
                if claimed and time.monotonic() - asked_at > STALE_SECONDS:
                    # The answer was late, or this process was stopped: the run may have been recovered since
                    self._ask(lambda: self._run.settle(Endings()))
            except RunLost:
                self._lose()
                return self.claim(queues, most, woken_by)
            self._claimed_at = time.monotonic()
            return bool(claimed)

    def hand_out(self, lane: Lane, is_alone: Callable[[bytes], bool]) -> Claimed | None:
        """Return the next job of the batch, which begins now in a lane; None if there is none to begin.

        One that is alone begins when nothing else runs, lets the others of its batch go, and nothing begins
        beside it.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._claimed_at > STALE_SECONDS:
                self._give_back()
            if not self._batch:
                return None
            alone = is_alone(self._batch[0].payload)
            if self._running and (alone or self.is_alone):
                return None
            job = self._batch.popleft()
            self._running[job.token] = Running(job, lane, now + HOLD_SECONDS, alone)
            if alone:
                self._settle_or_lose(self._hold)
                if job.token not in self._running:
                    return None
            lane.begin(job.token)
            return job

    @property
    def is_alone(self) -> bool:
        """A job runs beside which no other may."""
        return any(running.is_alone for running in self._running.values())

    @property
    def has_batch(self) -> bool:
        """Claimed jobs wait to be handed out."""
        return bool(self._batch)

    def end(self, job: Claimed, entry: bytes | None, *, was_killed: bool = False) -> None:
        """Note how a job ended, done or with its entry for the Failed list, which is settled at once."""
        with self._lock:
            running = self._running.get(job.token)
            if running is None or running.job is not job:
                return
            if entry is None:
                self._endings.done.append(job.token)
                self._page.finish(running.lane, job.token)
            else:
                self._fail(running, entry, was_killed)
            self._running.pop(job.token, None)

    def put_back_running(self, job: Claimed, payload: bytes = b"") -> None:
        """Let a job that has not ended by itself wait again, at the head; with another payload at once."""
        with self._lock:
            running = self._running.get(job.token)
            if running is None or running.job is not job:
                return
            if payload:
                self._endings.again.append((job.token, payload))
                self._settle_or_lose(self._settle)
            else:
                self._batch.appendleft(job)
                self._give_back()
            self._running.pop(job.token, None)
            running.lane.clear()

    def let_go(self) -> None:
        """Settle what has ended, and put back what has not begun."""
        with self._lock:
            self._give_back()
            self._settle_or_lose(self._settle)

    def fail_running(self, error: str) -> None:
        """Let the running jobs fail, which go on and do not matter any more."""
        with self._lock:
            for job in [running.job for running in self._running.values()]:
                _log.error("failed: %s %s", label_of(job.queue, job.payload), error)
                entry = dirty_exit(job.payload, job.queue, self._worker_id, error)
                self.end(job, entry, was_killed=True)

    def hold_if_due(self) -> Claimed | None:
        """Hold the jobs that have run long enough; return the last one held now. The watchdog's step."""
        with self._lock:
            now = time.monotonic()
            due = [each for each in self._running.values() if not each.is_shown and each.hold_at <= now]
            if not due:
                return None
            try:
                self._hold(due)
            except RunLost:
                # A stop that gives Redis up is the other thread's to make; this one has to end its job
                with suppress(GaveUp):
                    self._lose()
            except UNREACHABLE as error:
                for each in due:
                    each.hold_at = now + HOLD_AGAIN_SECONDS
                self._patience.note(error)
            else:
                return due[-1].job
            return None

    def leave(self) -> None:
        """End the run: settle what has ended, put everything else back, leave no trace.

        Raises GaveUp if Redis stays away; the supervisor then does the same as soon as it is back.
        """
        with self._lock:
            for running in self._running.values():
                job = running.job
                _log.warning("put back: %s did not end in time", label_of(job.queue, job.payload))
                running.lane.clear()
            self._give_back()
            self._settle_or_lose(self._settle)
            try:
                self._patience(lambda: runs.recover(self._link, self._run.name, put_back))
            except ValueError as error:
                # What is no job of this worker's stays there for a person to look at
                _log.error("run %s is left behind: %s", self._run.name, error)
            self._running.clear()
            self._page.run = ""
            self._link.close()

    def _has_anything(self) -> bool:
        """Tell whether there is something to wait for Redis with, when this process is told to stop."""
        return bool(self._batch or self._running or self._endings)

    def _fail(self, running: Running, entry: bytes, was_killed: bool) -> None:
        failed = self._endings.killed if was_killed else self._endings.failed
        failed.append((running.job.token, entry))
        self._settle_or_lose(self._settle)
        running.lane.clear()

    def _begin_run(self) -> None:
        self._run = Run(self._link, self._worker_id)
        self._batch.clear()
        self._running.clear()
        self._claimed_at = time.monotonic()
        for lane in self._page.lanes:
            lane.clear()
        # Tokens begin anew: what the last run had finished says nothing of them
        self._forget_endings()
        self._page.run = self._run.name
        self._patience(lambda: self._run.register(self._started_at))
        self._connects = self._link.connects

    def _lose(self) -> None:
        """Others have recovered this run, and what it held is theirs now; or Redis knows neither any more."""
        _log.warning(
            "worker %s was taken for dead, or forgotten by Redis, and begins anew without its jobs",
            self._worker_id,
        )
        self._begin_run()

    def _ask(self, action: Callable[[], T]) -> T:
        return self._patience(lambda: self._reconciled(action))

    def _reconciled(self, action: Callable[[], T]) -> T:
        """Do it after a look at what Redis thinks, if the connection is a new one.

        An answer may have been lost, or a Redis without its last second has come back: tokens that memory
        does not know were settled or put back before, and have to be put back again.
        """
        self._link.connect()
        if self._link.connects != self._connects:
            known = {*self._running, *(job.token for job in self._batch)}
            strays = self._run.tokens() - known - self._endings.tokens()
            again = sorted(token for token in strays if token < self._run.next_token)
            self._run.settle(Endings(back=again))
            self._connects = self._link.connects
        return action()

    def _give_back(self) -> None:
        """Let the jobs go that have not begun; Redis is told with the next settle that reaches it."""
        self._endings.back.extend(job.token for job in self._batch)
        self._batch.clear()

    def _forget_endings(self) -> None:
        self._endings = Endings()
        self._page.forget_finished()
        for each in self._running.values():
            if each.is_shown:
                each.is_shown, each.hold_at = False, time.monotonic() + HOLD_AGAIN_SECONDS
                break

    def _hold(self, due: Iterable[Running] = ()) -> None:
        """Tell Redis of jobs that they have begun, by default of all."""
        held = list(due or self._running.values())
        if not all(each.is_held for each in held):
            self._give_back()
        shown = [(each.job.token, each.job.shown(time.time())) for each in held]
        self._reconciled(lambda: self._run.start(shown, self._endings))
        self._forget_endings()
        for each in held:
            each.is_held = each.is_shown = True

    def _settle(self) -> None:
        if self._endings:
            self._reconciled(lambda: self._run.settle(self._endings))
            self._forget_endings()

    def _settle_or_lose(self, step: Callable[[], None]) -> None:
        try:
            self._patience(step)
        except RunLost:
            self._lose()
