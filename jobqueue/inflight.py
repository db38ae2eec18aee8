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
from jobqueue.sharedpage import SharedPage
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


class InFlight:
    """The jobs of one worker process between their claim and their settling."""

    def __init__(self, worker_id: str, started_at: float, page: SharedPage, attention: Attention) -> None:
        self._worker_id = worker_id
        self._started_at = started_at
        self._page = page
        self._patience = Patience(attention, f"worker {worker_id}", is_worth_it=self._has_anything)
        self._lock = threading.RLock()
        self._link = Link()
        self._running: Claimed | None = None
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
                self._endings = Endings()
                self._batch.extend(claimed)
                if claimed and time.monotonic() - asked_at > STALE_SECONDS:
                    # The answer was late, or this process was stopped: the run may have been recovered since
                    self._ask(lambda: self._run.settle(Endings()))
            except RunLost:
                self._lose()
                return self.claim(queues, most, woken_by)
            self._claimed_at = time.monotonic()
            if claimed:
                self._page.begin_batch(claimed[0].token)
            return bool(claimed)

    def hand_out(self, is_alone: Callable[[bytes], bool]) -> Claimed | None:
        """Return the next job of the batch, which begins now; one that is alone lets the others go first."""
        with self._lock:
            if time.monotonic() - self._claimed_at > STALE_SECONDS:
                self._give_back()
            if not self._batch:
                return None
            self._running = self._batch.popleft()
            self._hold_at = time.monotonic() + HOLD_SECONDS
            self._is_held = False
            if is_alone(self._running.payload):
                self._settle_or_lose(self._hold)
            if self._running:
                self._page.begin(self._running.token)
            return self._running

    def end(self, job: Claimed, entry: bytes | None, *, was_killed: bool = False) -> None:
        """Note how a job ended, done or with its entry for the Failed list, which is settled at once."""
        with self._lock:
            if job is not self._running:
                return
            if entry is None:
                self._endings.done.append(job.token)
                self._page.finish(job.token)
            else:
                self._fail(job.token, entry, was_killed)
            self._running = None

    def put_back_running(self, job: Claimed, payload: bytes = b"") -> None:
        """Let a job that has not ended by itself wait again, at the head; with another payload at once."""
        with self._lock:
            if job is not self._running:
                return
            if payload:
                self._endings.again.append((job.token, payload))
                self._settle_or_lose(self._settle)
            else:
                self._batch.appendleft(job)
                self._give_back()
            self._running = None
            self._page.clear()

    def let_go(self) -> None:
        """Settle what has ended, and put back what has not begun."""
        with self._lock:
            self._give_back()
            self._settle_or_lose(self._settle)

    def fail_running(self, error: str) -> None:
        """Let the running job fail, which goes on and does not matter any more."""
        with self._lock:
            if self._running is not None:
                _log.error("failed: %s %s", label_of(self._running.queue, self._running.payload), error)
                entry = dirty_exit(self._running.payload, self._running.queue, self._worker_id, error)
                self.end(self._running, entry, was_killed=True)

    def hold_if_due(self) -> Claimed | None:
        """Hold a job that has run long enough; return it if it was held now. The watchdog's step."""
        with self._lock:
            if self._running is None or self._is_held or time.monotonic() < self._hold_at:
                return None
            try:
                self._hold()
            except RunLost:
                # A stop that gives Redis up is the other thread's to make; this one has to end its job
                with suppress(GaveUp):
                    self._lose()
            except UNREACHABLE as error:
                self._hold_at = time.monotonic() + HOLD_AGAIN_SECONDS
                self._patience.note(error)
            else:
                return self._running
            return None

    def leave(self) -> None:
        """End the run: settle what has ended, put everything else back, leave no trace.

        Raises GaveUp if Redis stays away; the supervisor then does the same as soon as it is back.
        """
        with self._lock:
            if self._running is not None:
                _log.warning(
                    "put back: %s did not end in time", label_of(self._running.queue, self._running.payload)
                )
                self._page.clear()
            self._give_back()
            self._settle_or_lose(self._settle)
            try:
                self._patience(lambda: runs.recover(self._link, self._run.name, put_back))
            except ValueError as error:
                # What is no job of this worker's stays there for a person to look at
                _log.error("run %s is left behind: %s", self._run.name, error)
            self._running = None
            self._page.run = ""
            self._link.close()

    def _has_anything(self) -> bool:
        """Tell whether there is something to wait for Redis with, when this process is told to stop."""
        return bool(self._batch or self._running or self._endings)

    def _fail(self, token: int, entry: bytes, was_killed: bool) -> None:
        failed = self._endings.killed if was_killed else self._endings.failed
        failed.append((token, entry))
        self._settle_or_lose(self._settle)
        self._page.clear()

    def _begin_run(self) -> None:
        self._run = Run(self._link, self._worker_id)
        self._batch.clear()
        self._running = None
        self._endings = Endings()
        self._hold_at = self._claimed_at = time.monotonic()
        self._is_held = False
        self._page.clear()
        # Tokens begin anew: what the last run had finished says nothing of them
        self._page.begin_batch(self._run.next_token)
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
            known = {job.token for job in (*self._batch, *filter(None, [self._running]))}
            strays = self._run.tokens() - known - self._endings.tokens()
            again = sorted(token for token in strays if token < self._run.next_token)
            self._run.settle(Endings(back=again))
            self._connects = self._link.connects
        return action()

    def _give_back(self) -> None:
        """Let the jobs go that have not begun; Redis is told with the next settle that reaches it."""
        self._endings.back.extend(job.token for job in self._batch)
        self._batch.clear()

    def _hold(self) -> None:
        running = self._running
        if running is None:
            return
        self._give_back()
        self._reconciled(lambda: self._run.start(running.token, running.shown(time.time()), self._endings))
        self._endings = Endings()
        self._is_held = True

    def _settle(self) -> None:
        if self._endings:
            self._reconciled(lambda: self._run.settle(self._endings))
            self._endings = Endings()

    def _settle_or_lose(self, step: Callable[[], None]) -> None:
        try:
            self._patience(step)
        except RunLost:
            self._lose()
