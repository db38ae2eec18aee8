"""What the options of a job definition may be: each rule refuses with the value and the way out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, TypedDict

from jobqueue.exceptions import InvalidDefinition
from jobqueue.rubyjson import is_unicode

OnCrash = Literal["fail", "retry"]


class Options(TypedDict, total=False):
    """What ``@job`` takes, and what a class that is a job may have as attributes; see ``Definition``."""

    name: str
    queue: str
    bare: bool
    batch: bool
    timeout: float
    on_crash: OnCrash
    max_crashes: int


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


def check_timeout(timeout: Any, place: str) -> None:
    """Refuse what is no time after which a job could be ended."""
    if timeout is not None and not (_is_number(timeout) and timeout > 0):
        raise InvalidDefinition(
            f"{place}: timeout={timeout!r} should be a number of seconds, more than 0 (float('inf') for no "
            "limit); leave it out for the setting JOBQUEUE_JOB_TIMEOUT_SECONDS."
        )


def check_crashes(on_crash: Any, max_crashes: Any, place: str) -> None:
    """Refuse what does not tell how often a job may end its process."""
    if on_crash not in ("fail", "retry"):
        raise InvalidDefinition(f"{place}: on_crash={on_crash!r} should be 'fail' or 'retry'.")
    if max_crashes is not None and not (type(max_crashes) is int and max_crashes > 0):
        raise InvalidDefinition(
            f"{place}: max_crashes={max_crashes!r} should be a whole number, at least 1; leave it out for "
            "the setting JOBQUEUE_MAX_CRASHES."
        )


def check_function(function: Callable[..., Any], place: str) -> None:
    """Refuse functions whose call would do nothing yet; what is ``async def`` is awaited."""
    if not callable(function):
        raise InvalidDefinition(f"{place}: a job calls a function or class, not {function!r}.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidDefinition(
            f"{place}: a job is performed by calling its function, and calling this one, which has `yield`, "
            "would only make a generator: do the work in the function itself."
        )


def check_synchronous(function: Callable[..., Any], place: str, what: str) -> None:
    """Refuse a coroutine function for what is called, not awaited."""
    if inspect.iscoroutinefunction(function):
        raise InvalidDefinition(
            f"{place}: {what} is an ordinary function, and this one is `async def`: use `def`, with "
            "asgiref's async_to_sync for what must be awaited."
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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
