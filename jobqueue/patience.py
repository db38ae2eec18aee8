"""Wait for a Redis that is away: say so once, try again with growing pauses, go on by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from redis.exceptions import RedisError

from jobqueue.attention import Attention
from jobqueue.backoff import pauses
from jobqueue.connection import explain
from jobqueue.link import UNREACHABLE

T = TypeVar("T")

_log = logging.getLogger("jobqueue")


class GaveUp(Exception):  # noqa: N818 - what the process did, not what went wrong
    """Redis stayed away for as long as a stopping process may wait."""


class Patience:
    """Repeats what Redis did not answer; logs one line when it goes and one when it is back."""

    def __init__(self, attention: Attention, *, is_worth_it: Callable[[], bool] = lambda: True) -> None:
        """``is_worth_it`` tells whether a process that is told to stop has reason to wait for Redis."""
        self._attention = attention
        self._is_worth_it = is_worth_it
        self._is_away = False

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
        if error is not None and not self._is_away:
            _log.error("%s Trying again until it answers.", _sentence(error))
        elif error is None and self._is_away:
            _log.warning("Redis answers again.")
        self._is_away = error is not None


def _sentence(error: Exception) -> str:
    return explain(error) if isinstance(error, RedisError) else f"Redis cannot be reached: {error}."
