"""Make a function or class of the user's a job definition."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from jobqueue import registry
from jobqueue.arity import Arity
from jobqueue.definition import Definition
from jobqueue.exceptions import InvalidDefinition
from jobqueue.hooks import Hooks, check_hooks
from jobqueue.options import (
    ErrorKinds,
    OnCrash,
    Options,
    check_backoff,
    check_crashes,
    check_flags,
    check_function,
    check_kinds,
    check_name,
    check_retries,
    check_timeout,
    default_name,
    settled,
)
from jobqueue.pause import Pause
from jobqueue.recurring import Missed
from jobqueue.retrying import Backoff
from jobqueue.uniqueoptions import OnConflict, Unique, UniqueBy, check_unique

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)


class Decorator(Protocol):
    # Classes come first, because a class is a callable too
    @overload
    def __call__(self, target: C, /) -> C: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, target: Callable[P, R], /) -> Definition[P, R]: ...


@overload
def job(target: C, /) -> C: ...  # type: ignore[overload-overlap]  # see Decorator
@overload
def job(target: Callable[P, R], /) -> Definition[P, R]: ...
@overload
def job(**options: Unpack[Options]) -> Decorator: ...


def job(
    target: Any = None,
    /,
    *,
    queue: str | None = None,
    name: str | None = None,
    bare: bool | None = None,
    batch: bool | None = None,
    timeout: float | None = None,
    on_crash: OnCrash | None = None,
    max_crashes: int | None = None,
    retries: int | None = None,
    max_attempts: int | None = None,
    backoff: Backoff | None = None,
    retry_on: ErrorKinds | None = None,
    fail_on: ErrorKinds | None = None,
    unique: Unique | None = None,
    unique_by: UniqueBy | None = None,
    on_conflict: OnConflict | None = None,
    debounce: Pause | None = None,
    cron: str | None = None,
    every: Pause | str | None = None,
    missed: Missed | None = None,
) -> Any:
    """Make a function a job definition, or let a class be one: that stays as it is, see ``enqueue``.

    ``queue`` is "default" if none is given. ``name`` stands in payloads as the job's class, by default
    ``module.function``. The other options: see ``Definition``. A class needs ``perform``, a static or
    class method, and may have these options as attributes; with ``queue`` it needs no decorator in a module
    ``jobs``. Raises InvalidDefinition or DuplicateJob.
    """
    options = {
        "queue": queue,
        "name": name,
        "bare": bare,
        "batch": batch,
        "timeout": timeout,
        "on_crash": on_crash,
        "max_crashes": max_crashes,
        "retries": retries,
        "max_attempts": max_attempts,
        "backoff": backoff,
        "retry_on": retry_on,
        "fail_on": fail_on,
        "unique": unique,
        "unique_by": unique_by,
        "on_conflict": on_conflict,
        "debounce": debounce,
        "cron": cron,
        "every": every,
        "missed": missed,
    }
    given: Any = {option: value for option, value in options.items() if value is not None}

    def define(target: Any) -> Any:
        if isinstance(target, type):
            from_class(target, **given)
            return target
        return from_function(target, **given)

    return define if target is None else define(target)


def from_function(
    function: Callable[P, R], *, place: str | None = None, **options: Unpack[Options]
) -> Definition[P, R]:
    """Register a definition that calls a function."""
    place = place or place_of(function)
    check_function(function, place)
    if "name" not in options:
        options["name"] = default_name(function, place)
    return _register(
        Definition(
            function=function,
            place=place,
            arity=Arity.of(function),
            is_async=inspect.iscoroutinefunction(function),
            **settled(options, place),
        )
    )


def from_class(owner: type, **options: Unpack[Options]) -> Definition[..., Any]:
    """Register a definition that calls ``owner.perform``; what is not given, attributes of the class tell."""
    perform = getattr(owner, "perform", None)
    place = place_of(perform, owner)
    if perform is None or inspect.isfunction(inspect.getattr_static(owner, "perform")):
        raise InvalidDefinition(
            f"{place}: {owner.__qualname__} needs a method `perform` that runs without an instance: make "
            "it a @staticmethod or a @classmethod."
        )
    check_function(perform, place)
    options = {**_attributes(owner), **options}
    if "name" not in options:
        options["name"] = default_name(owner, place)
    return _register(
        Definition(
            function=perform,
            place=place,
            owner=owner,
            hooks=Hooks.of(owner),
            is_async=inspect.iscoroutinefunction(perform),
            arity=Arity.of(perform),
            **settled(options, place),
        )
    )


def _attributes(owner: type) -> Options:
    """Return the options that a class has as attributes."""
    found: Any = {option: getattr(owner, option, None) for option in Options.__annotations__}
    # A subclass is a job of its own, so it does not inherit the name
    found["name"] = vars(owner).get("name")
    given: Any = {option: value for option, value in found.items() if value is not None}
    return given  # type: ignore[no-any-return]  # a class may have anything there: it is checked later


def place_of(function: Any, owner: type | None = None) -> str:
    """Return ``module:line`` of a function, or of a class by the line of its method."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    module = getattr(owner or function, "__module__", None) or "unknown module"
    return f"{module}:{code.co_firstlineno}" if code else str(module)


def _register(definition: Definition[P, R]) -> Definition[P, R]:
    check_name(definition.name, definition.place)
    check_flags(definition.place, bare=definition.bare, batch=definition.batch)
    check_timeout(definition.timeout, definition.place)
    check_crashes(definition.on_crash, definition.max_crashes, definition.place)
    _check_retries(definition)
    _check_unique(definition)
    check_hooks(definition.hooks, definition.place, is_async=definition.is_async)
    registry.register(definition)
    return definition


def _check_unique(definition: Definition[P, R]) -> None:
    check_unique(definition.unique, definition.unique_by, definition.on_conflict, definition.place)


def _check_retries(definition: Definition[P, R]) -> None:
    place, retries = definition.place, definition.retries
    check_retries(retries, place)
    check_backoff(definition.backoff, place)
    check_kinds("retry_on", definition.retry_on, place, retries=retries)
    check_kinds("fail_on", definition.fail_on, place, retries=retries)
