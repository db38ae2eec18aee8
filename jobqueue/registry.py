"""The job definitions of this process, by name. Only what is registered is ever performed."""

from __future__ import annotations

from typing import Any

from jobqueue.conf import settings
from jobqueue.defined import Defined
from jobqueue.exceptions import DuplicateJob, UnknownJob
from jobqueue.recovery import CrashPolicy
from jobqueue.retrying import RetryPolicy

_by_name: dict[str, Defined[..., Any]] = {}
_by_owner: dict[type, Defined[..., Any]] = {}


def register(definition: Defined[..., Any]) -> None:
    """Make a definition known; raise DuplicateJob if another place has taken its name.

    The same line of the same module may register again, as when a module is reloaded.
    """
    known = _by_name.get(definition.name)
    if known is not None and known.place != definition.place:
        raise DuplicateJob(
            f"Two jobs are named {definition.name!r}, one at {known.place}, one at {definition.place}: "
            "give one of them another name, as in @job(name=...), or in a class `name = ...`."
        )
    _by_name[definition.name] = definition
    if definition.owner is not None:
        _by_owner[definition.owner] = definition


def get(name: str) -> Defined[..., Any]:
    """Return the definition of this name; raise UnknownJob if there is none."""
    try:
        return _by_name[name]
    except KeyError:
        raise UnknownJob(
            f"No installed app defines the job {name!r}. It should stand in the `jobs` module of an app in "
            "INSTALLED_APPS; was it renamed or removed while jobs of it were waiting?"
        ) from None


def of_class(owner: type) -> Defined[..., Any]:
    """Return the definition that a class stands for; raise UnknownJob if it is none."""
    try:
        return _by_owner[owner]
    except KeyError:
        raise UnknownJob(
            f"{owner.__module__}.{owner.__qualname__} is no job: it needs `queue` and a static or class "
            "method `perform`, and a place in the `jobs` module of an app in INSTALLED_APPS (or @job)."
        ) from None


def resolve(target: Defined[..., Any] | type | str) -> Defined[..., Any]:
    """Return the definition that a caller means; raise UnknownJob if it is none."""
    if isinstance(target, Defined):
        return target
    return of_class(target) if isinstance(target, type) else get(target)


def crash_policy(name: str) -> CrashPolicy:
    """Return what becomes of a job of this name when its process dies; an unknown one gets the defaults."""
    definition = _by_name.get(name)
    if definition is None:
        return CrashPolicy(max_crashes=settings.max_crashes)
    return CrashPolicy(
        retries=definition.on_crash == "retry", max_crashes=definition.max_crashes or settings.max_crashes
    )


def retry_policy(name: str) -> RetryPolicy:
    """Return what becomes of a job of this name that fails; an unknown one is not tried again."""
    definition = _by_name.get(name)
    return RetryPolicy() if definition is None else definition.retry_policy


def is_class_of_job(owner: type) -> bool:
    """Tell whether a class was registered."""
    return owner in _by_owner


def definitions() -> list[Defined[..., Any]]:
    """Return every definition, sorted by name."""
    return [_by_name[name] for name in sorted(_by_name)]


def queues() -> list[str]:
    """Return the queues of all definitions, sorted."""
    return sorted({definition.queue for definition in _by_name.values()})
