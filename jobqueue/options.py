"""What the options of a job definition may be: each rule refuses with the value and the way out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypedDict

from jobqueue.exceptions import InvalidDefinition
from jobqueue.pause import Pause, pause_seconds
from jobqueue.recurring import Missed
from jobqueue.retrying import Backoff
from jobqueue.rubyjson import is_unicode
from jobqueue.uniqueoptions import OnConflict, Unique, UniqueBy

OnCrash = Literal["fail", "retry"]
ErrorKinds = type[BaseException] | Sequence[type[BaseException]]

_BACKOFF = (
    "should be a list of pauses in seconds, such as [10, 60, 300], or a function of the number of the "
    "attempt that failed and its exception, which returns a pause"
)


class Fields(TypedDict, total=False):
    """The options as they stand in a definition; see ``Defined``."""

    name: str
    queue: str
    bare: bool
    batch: bool
    timeout: float
    on_crash: OnCrash
    max_crashes: int
    retries: int
    backoff: Backoff
    retry_on: Any
    fail_on: Any
    unique: Unique
    unique_by: UniqueBy
    on_conflict: OnConflict
    debounce: Pause
    cron: str
    every: Pause | str
    missed: Missed


class Options(Fields, total=False):
    """What ``@job`` takes, and what a class that is a job may have as attributes."""

    max_attempts: int
    """The same as ``retries``, the first attempt counted, as in Django's own proposal for its tasks."""


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


def check_retries(retries: Any, place: str) -> None:
    """Refuse what does not tell how often a job is tried again."""
    if retries is not None and not (type(retries) is int and retries >= 0):
        raise InvalidDefinition(
            f"{place}: retries={retries!r} should be a whole number, 0 or more: how often a job that failed "
            "is tried again."
        )


def check_backoff(backoff: Any, place: str) -> None:
    """Refuse what tells no pauses before a job is tried again."""
    if backoff is None or callable(backoff):
        return
    if not isinstance(backoff, list | tuple) or not backoff:
        raise InvalidDefinition(f"{place}: backoff={backoff!r} {_BACKOFF}.")
    for pause in backoff:
        try:
            pause_seconds(pause)
        except ValueError as error:
            raise InvalidDefinition(f"{place}: backoff={backoff!r} {_BACKOFF}; {error}.") from None


def check_kinds(option: str, kinds: Any, place: str, *, retries: int | None) -> None:
    """Refuse what are no classes of errors, or what decides on retries of which there are none."""
    if kinds is None or kinds == ():
        return
    if not isinstance(kinds, tuple | list) or not all(map(_is_error_class, kinds)):
        raise InvalidDefinition(
            f"{place}: {option}={kinds!r} should be a tuple of classes of exceptions, such as "
            "(ConnectionError,)."
        )
    if not retries:
        raise InvalidDefinition(
            f"{place}: {option} tells which errors are worth a retry, but the job has none: add retries=5, "
            "say."
        )


def settled(options: Options, place: str) -> Fields:
    """Return the options as a definition has them: the second names of some are theirs."""
    given: Any = dict(options)
    if (most := given.pop("max_attempts", None)) is not None:
        given["retries"] = _retries(most, given.get("retries"), place)
    for option in ("retry_on", "fail_on"):
        if isinstance(kinds := given.get(option), type):
            given[option] = (kinds,)
        elif isinstance(kinds, list):
            given[option] = tuple(kinds)
    if given.get("debounce") is not None:
        given.setdefault("unique", "queued")
    if given.get("retries") and type(given["retries"]) is int:
        # What may begin anew after an error may do so after a crash
        given.setdefault("on_crash", "retry")
    return given  # type: ignore[no-any-return]  # what is of a wrong type is refused later


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


def _retries(max_attempts: Any, retries: Any, place: str) -> int:
    if type(max_attempts) is not int or max_attempts < 1:
        raise InvalidDefinition(
            f"{place}: max_attempts={max_attempts!r} should be a whole number, at least 1: how often a job "
            "is performed at most."
        )
    if retries is not None and retries != max_attempts - 1:
        raise InvalidDefinition(
            f"{place}: max_attempts={max_attempts} and retries={retries!r} say different things: the first "
            "counts the first attempt too. Keep one of them."
        )
    return max_attempts - 1


def _is_error_class(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
