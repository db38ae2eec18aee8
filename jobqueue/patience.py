"""Wait for a Redis that is away: say so once, try again with growing pauses, go on by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from redis.exceptions import RedisError

from jobqueue.attention import Attention
from jobqueue.backoff import pauses
from jobqueue.connection import explain
from jobqueue.link import UNREACHABLE
from jobqueue.trouble import kind_of

T = TypeVar("T")

_log = logging.getLogger("jobqueue")


class GaveUp(Exception):  # noqa: N818 - what the process did, not what went wrong
    """Redis stayed away for as long as a stopping process may wait."""


class Patience:
    """Repeats what Redis did not answer.

    Logs one line when Redis goes, one for each other kind of trouble until it is back, and one then. Each
    process tells what it sees itself, since a broken network may cut off one of them alone.
    """

    def __init__(
        self, attention: Attention, speaker: str, *, is_worth_it: Callable[[], bool] = lambda: True
    ) -> None:
        """``speaker`` is the name of this process in the log; ``is_worth_it`` tells whether it has reason
        to wait for Redis when it is told to stop.
        """
        self._attention = attention
        self._speaker = speaker
        self._is_worth_it = is_worth_it
        self._told: set[str] = set()
        self._away_since = 0.0

    def __call__(self, action: Callable[[], T]) -> T:
        """Return what ``action`` returns, which must be safe to repeat; raise GaveUp when time is over."""
        for attempt, pause in enumerate(pauses()):
            try:
                answer = action()
            except UNREACHABLE as error:
                # A server or a firewall may have closed an idle connection, which says nothing
                if attempt:
                    self.note(error)
            else:
                self.note(None)
                return answer
            if self._attention.is_overdue or (self._attention.is_stopping and not self._is_worth_it()):
                raise GaveUp
            self._attention.sleep(pause)
        raise AssertionError("pauses have no end")

    def note(self, error: Exception | None) -> None:
        """Log a change between a Redis that answers and one that does not."""
        if error is None:
            if self._told:
                seconds = time.monotonic() - self._away_since
                _log.warning("%s: Redis answers again, after %.1f s.", self._speaker, seconds)
            self._told.clear()
        elif (kind := kind_of(error)) not in self._told:
            self._away_since = self._away_since if self._told else time.monotonic()
            self._told.add(kind)
            _log.error("%s: %s Trying again until it answers.", self._speaker, _sentence(error))


def _sentence(error: Exception) -> str:
    return explain(error) if isinstance(error, RedisError) else f"Redis cannot be reached: {error}."
