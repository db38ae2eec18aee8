"""What the options of a unique job may be: each rule refuses with the value and the way out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

from jobqueue.exceptions import InvalidDefinition
from jobqueue.pause import pause_seconds

Unique = Literal["queued", "until_done"]
OnConflict = Literal["drop", "replace", "raise"]
UniqueBy = Callable[..., Any]


def check_unique(unique: Any, unique_by: Any, on_conflict: Any, place: str) -> None:
    """Refuse what does not tell which jobs are equal, or what becomes of one that meets its equal."""
    if unique not in (None, "queued", "until_done"):
        raise InvalidDefinition(
            f"{place}: unique={unique!r} should be 'queued', for one that waits at a time, or 'until_done', "
            "for one that waits or runs."
        )
    if on_conflict not in ("drop", "replace", "raise"):
        raise InvalidDefinition(
            f"{place}: on_conflict={on_conflict!r} should be 'drop', 'replace' or 'raise'."
        )
    if unique_by is not None and (not callable(unique_by) or inspect.iscoroutinefunction(unique_by)):
        raise InvalidDefinition(
            f"{place}: unique_by={unique_by!r} should be an ordinary function of the job's arguments that "
            "returns what makes two of them equal, such as `lambda user_pk, **_: user_pk`."
        )
    if unique is None and (unique_by is not None or on_conflict != "drop"):
        raise InvalidDefinition(
            f"{place}: unique_by and on_conflict say how a job is unique, and this one is not: add "
            "unique='queued' or unique='until_done'."
        )


def check_has_id(unique: Any, place: str, *, bare: bool) -> None:
    """Refuse unique jobs without an id, by which their locks know them."""
    if unique and bare:
        raise InvalidDefinition(
            f"{place}: a unique or debounced job has to be known by its id, and with bare=True it gets none: "
            "leave one of them out."
        )


def check_debounce(debounce: Any, unique: Any, on_conflict: Any, place: str) -> None:
    """Refuse what is no time to wait for further calls, or contradicts it."""
    if debounce is None:
        return
    try:
        seconds = pause_seconds(debounce)
    except ValueError as error:
        raise InvalidDefinition(f"{place}: debounce={debounce!r} is no time to wait: {error}.") from None
    if not seconds:
        raise InvalidDefinition(f"{place}: debounce={debounce!r} should be more than no time at all.")
    if unique != "queued" or on_conflict != "drop":
        raise InvalidDefinition(
            f"{place}: with debounce the last of equal calls counts, and one job of them waits: leave "
            "unique='until_done' and on_conflict out."
        )
