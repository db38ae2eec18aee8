"""What a supervisor tells Redis: that its workers live, and what becomes of the jobs of dead ones.

Its own dead workers' runs are recovered at once, those of other machines once their heartbeats are too
old; dead workers of Ruby are pruned as Ruby does it. Nothing here waits for Redis: what it does not answer
is left for the next turn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from redis.exceptions import ResponseError

from jobqueue import registry
from jobqueue.conf import settings
from jobqueue.link import UNREACHABLE, Link
from jobqueue.patience import Patience
from jobqueue.pruning import PRUNE_AFTER_SECONDS
from jobqueue.recovery import Judge, SilentRun
from jobqueue.store import runs, workers
from jobqueue.store.runs import LiveRun

PRUNE_EVERY_SECONDS = 60.0
PRUNE_AFTER_STEADY_SECONDS = 120.0
"""After an outage of Redis the living workers of Ruby have to send a heartbeat first, each in a minute."""

_log = logging.getLogger("jobqueue")


class Recoverer:
    """Keeps the runs of living workers alive, and ends those of dead ones."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._link = Link()
        self._heartbeat_at = 0.0
        self._steady_since = time.monotonic()
        """Since when no heartbeat of its own has failed, and Redis's clock has not jumped."""
        self._ahead = 0.0
        """By how many seconds Redis's clock was ahead of ``time.monotonic`` at the last heartbeat."""
        self._prune_at = 0.0
        self._unrecovered: list[tuple[str, Judge]] = []
        self._complained: set[str] = set()
        """Runs that cannot be recovered; each is worth one line of the log."""

    def close(self) -> None:
        """Close the connection, as before a fork; the next use makes another."""
        self._link.close()

    def owe(self, run: str, dead: Judge) -> None:
        """Note that a run of an own worker has to be recovered."""
        self._unrecovered.append((run, dead))

    @property
    def owes(self) -> bool:
        """Some run of an own worker has to be recovered still."""
        return bool(self._unrecovered)

    def recover_own(self) -> None:
        """Recover the runs of own workers that died; those that Redis did not answer for stay on the list."""
        for run, dead in self._unrecovered.copy():
            if not self._tell_redis(lambda: self._recover_or_owe(run, dead)):  # noqa: B023 - called at once
                # Redis may have refused this one alone: the next time another one is the first
                self._unrecovered.append(self._unrecovered.pop(0))
                return
            del self._unrecovered[0]

    def heartbeat_if_due(self, alive: Callable[[], Sequence[LiveRun]]) -> None:
        """Tell that runs live, every ``heartbeat_seconds``; then recover those of others that are silent."""
        if time.monotonic() >= self._heartbeat_at:
            self.heartbeat_now(alive)

    def heartbeat_now(self, alive: Callable[[], Sequence[LiveRun]]) -> None:
        """Tell that runs live, though it may not be due yet."""
        self._heartbeat_at = time.monotonic() + settings.heartbeat_seconds
        self._tell_redis(lambda: self._heartbeat(alive()))

    def _heartbeat(self, alive: Sequence[LiveRun]) -> None:
        redis_now = runs.heartbeat(self._link, alive)
        self._note_clock(redis_now - time.monotonic())
        steady_seconds = time.monotonic() - self._steady_since
        if steady_seconds >= settings.dead_after_seconds:
            self._recover_silent(redis_now)
        if steady_seconds >= PRUNE_AFTER_STEADY_SECONDS and time.monotonic() >= self._prune_at:
            self._prune_dead()

    def _note_clock(self, ahead: float) -> None:
        """Notice that Redis's clock has jumped, or this machine has slept: then all others look silent."""
        if ahead - self._ahead > settings.heartbeat_seconds:
            self._steady_since = time.monotonic()
        self._ahead = ahead

    def _recover_silent(self, redis_now: float) -> None:
        """Recover the runs of others.

        Only after keeping heartbeats for as long as counts as dead: when Redis itself was away, every run
        looks silent, and the living must not be taken for dead.
        """
        judge = SilentRun(registry.crash_policy)
        silent = runs.silent_runs(self._link, settings.dead_after_seconds, redis_now)
        for run, dead_since_ms in silent.items():
            try:
                if self._recover(run, judge, dead_since_ms):
                    _log.warning(
                        "run %s sent no heartbeat for %g s: recovered", run, settings.dead_after_seconds
                    )
            except (ResponseError, TimeoutError) as error:
                self._complain(run, error)

    def _prune_dead(self) -> None:
        """Unregister the dead workers of Ruby, which wait for a worker of Ruby to start."""
        self._prune_at = time.monotonic() + PRUNE_EVERY_SECONDS
        try:
            for worker_id in workers.prune_dead(self._link):
                _log.warning("worker %s sent no heartbeat for %g s: pruned", worker_id, PRUNE_AFTER_SECONDS)
        except ResponseError as error:
            if "pruning" not in self._complained:
                _log.error("dead workers cannot be pruned: %s", error)
                self._complained.add("pruning")

    def _recover(self, run: str, judge: Judge, dead_since_ms: int | str = "") -> bool:
        """Recover a run; one that holds what nobody can read stays as it is, and keeps no other waiting."""
        try:
            return runs.recover(self._link, run, judge, dead_since_ms)
        except ValueError as error:
            self._complain(run, error)
            return False

    def _recover_or_owe(self, run: str, dead: Judge) -> None:
        """Recover a run; one that a key of another type is in the way of waits until that is removed."""
        try:
            self._recover(run, dead)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            self._complain(run, error)
            self.owe(run, dead)

    def _complain(self, run: str, error: Exception) -> None:
        if run not in self._complained:
            _log.error("run %s cannot be recovered: %s", run, error)
            self._complained.add(run)

    def _tell_redis(self, step: Callable[[], object]) -> bool:
        """Do one thing in Redis, or leave it for the next time; tell whether it was done."""
        try:
            step()
        except UNREACHABLE as error:
            self._steady_since = time.monotonic()
            self._patience.note(error)
            return False
        self._patience.note(None)
        return True
