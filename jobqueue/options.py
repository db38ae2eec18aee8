"""What the options of a job definition may be: each rule refuses with the value and the way out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from jobqueue.exceptions import InvalidDefinition
from jobqueue.rubyjson import is_unicode


def check_queue(queue: Any, place: str) -> None:
    """Refuse a name that no worker could be told to listen to."""
    if not isinstance(queue, str) or not queue:
        raise InvalidDefinition(f"{place}: queue={queue!r} should be a text, such as 'emails'.")
    if "," in queue or queue != queue.strip() or queue.startswith("!"):
        raise InvalidDefinition(
            f"{place}: the queue {queue!r} could not stand in a worker's list `--queues high,low,!slow`: "
            "leave out commas, blanks at the ends and a first exclamation mark."
        )
    if not is_unicode(queue):
        raise InvalidDefinition(f"{place}: the queue {queue!r} is no valid Unicode; give it another name.")


def check_name(name: Any, place: str) -> None:
    """Refuse what cannot stand as ``class`` in a payload."""
    if not isinstance(name, str) or not name or not is_unicode(name):
        raise InvalidDefinition(f"{place}: name={name!r} should be a text, such as 'Emailer'.")


def check_flags(place: str, **flags: Any) -> None:
    """Refuse a switch that is neither True nor False."""
    for option, value in flags.items():
        if not isinstance(value, bool):
            raise InvalidDefinition(f"{place}: {option}={value!r} should be True or False.")


def check_function(function: Callable[..., Any], place: str) -> None:
    """Refuse functions whose call would do nothing yet."""
    if not callable(function):
        raise InvalidDefinition(f"{place}: a job calls a function or class, not {function!r}.")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidDefinition(
            f"{place}: a job is performed by an ordinary function, and this one is `async def` (asynchronous "
            "jobs come later): use `def`, with asgiref's async_to_sync for what must be awaited."
        )
    if inspect.isgeneratorfunction(function):
        raise InvalidDefinition(
            f"{place}: a job is performed by calling its function, and calling this one, which has `yield`, "
            "would only make a generator: do the work in the function itself."
        )


def default_name(target: Any, place: str) -> str:
    """Return ``module.qualname``; refuse what another process would not find by it."""
    qualname = getattr(target, "__qualname__", None)
    if qualname is None:
        raise InvalidDefinition(f"{place}: {target!r} has no name of its own; give it one, @job(name=...).")
    if "<" in qualname:
        raise InvalidDefinition(
            f"{place}: {qualname} is a lambda or stands inside a function, where no other process finds it: "
            "move it to the top of a module (a decorator below @job needs functools.wraps), or give it a "
            "name, @job(name=...)."
        )
    return f"{target.__module__}.{qualname}"
