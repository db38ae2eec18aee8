"""The run of a worker in Redis, from its registration to its end, and the next one if it is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from jobqueue.link import Link
from jobqueue.patience import Patience
from jobqueue.recovery import put_back
from jobqueue.sharedpage import SharedPage
from jobqueue.store import runs
from jobqueue.store.delivery import Endings, Run

T = TypeVar("T")

_log = logging.getLogger("jobqueue")


class CurrentRun:
    """The run that a worker has now, asked over a connection of its own.

    Its user gives a patience to wait for Redis with, and a function that returns the tokens it knows.
    """

    def __init__(
        self,
        worker_id: str,
        started_at: float,
        page: SharedPage,
        patience: Patience,
        known: Callable[[], set[int]],
    ) -> None:
        self._worker_id = worker_id
        self._started_at = started_at
        self._page = page
        self._patience = patience
        self._known = known
        self._link = Link()
        self._connects = 0
        self._begin()

    @property
    def name(self) -> str:
        """The name of the run."""
        return self._run.name

    def begin_anew(self) -> None:
        """Begin the next run: others have recovered this one, or Redis has forgotten it."""
        _log.warning(
            "worker %s was taken for dead, or forgotten by Redis, and begins anew without its jobs",
            self._worker_id,
        )
        self._begin()

    def ask(self, step: Callable[[Run], T]) -> T:
        """Ask what is no matter of jobs in flight, and wait for Redis if it is away; raise GaveUp."""
        return self._patience(lambda: step(self._run))

    def do(self, step: Callable[[Run], T]) -> T:
        """Do a step after a look at what Redis thinks, if the connection is a new one.

        An answer may have been lost, or a Redis without its last second has come back: tokens that memory
        does not know were settled or put back before, and have to be put back again.
        """
        self._link.connect()
        if self._link.connects != self._connects:
            strays = self._run.tokens() - self._known()
            again = sorted(token for token in strays if token < self._run.next_token)
            self._run.settle(Endings(back=again))
            self._connects = self._link.connects
        return step(self._run)

    def insist(self, step: Callable[[Run], T]) -> T:
        """Do a step so, and wait for Redis if it is away; raise GaveUp."""
        return self._patience(lambda: self.do(step))

    def end(self) -> None:
        """Put back what is in flight still, leave no trace, and close the connection."""
        try:
            self._patience(lambda: runs.recover(self._link, self._run.name, put_back))
        except ValueError as error:
            # What is no job of this worker's stays there for a person to look at
            _log.error("run %s is left behind: %s", self._run.name, error)
        self._page.run = ""
        self._link.close()

    def _begin(self) -> None:
        self._run = Run(self._link, self._worker_id)
        # Tokens begin anew: what the last run had finished says nothing of them
        self._page.run = self._run.name
        self._patience(lambda: self._run.register(self._started_at))
        self._connects = self._link.connects
