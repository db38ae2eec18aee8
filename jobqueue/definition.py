"""Job definitions: a function or class of the user's, with the options of its jobs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from asgiref.sync import sync_to_async

from jobqueue import enqueueing, registry
from jobqueue.arity import Arity
from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidDefinition
from jobqueue.hooks import Hooks, check_hooks
from jobqueue.options import (
    OnCrash,
    Options,
    check_crashes,
    check_flags,
    check_function,
    check_name,
    check_timeout,
    default_name,
)
from jobqueue.payload import Job

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Definition(Defined[P, R]):
    """What a job of this name does and how it is enqueued; calling it just calls the function."""

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Enqueue one job and return it, its id included; None if a before_enqueue hook vetoed it.

        Inside a transaction the job reaches Redis when that commits, and never if it is rolled back.
        Raises InvalidArguments or PayloadTooLarge at once; RedisUnreachable outside a transaction.
        """
        return enqueueing.enqueue(self, args, kwargs)

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job | None:
        """Do the same as ``enqueue``, from asynchronous code."""
        # Thread-sensitive: in the thread that holds the transactions of synchronous code
        return await sync_to_async(self.enqueue, thread_sensitive=True)(*args, **kwargs)

    def enqueue_many(self, calls: Iterable[enqueueing.Call]) -> list[Job]:
        """Enqueue a job for each call, a tuple of positional or a dict of keyword arguments.

        One round trip for each 1,000. Nothing is enqueued if any call is refused. Returns the jobs
        without those that a before_enqueue hook vetoed.
        """
        return enqueueing.enqueue_many(self, calls)


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
            **options,
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
            **options,
        )
    )


def _attributes(owner: type) -> Options:
    """Return the options that a class has as attributes."""
    found: Any = {option: getattr(owner, option, None) for option in Options.__annotations__}
    # A subclass is a job of its own, so it does not inherit the name
    found["name"] = vars(owner).get("name")
    given: Any = {option: value for option, value in found.items() if value is not None}
    return given  # type: ignore[no-any-return]  # a class may have anything there: it is checked later


def resolve(target: Defined[..., Any] | type | str) -> Defined[..., Any]:
    """Return the definition that a caller means; raise UnknownJob if it is none."""
    if isinstance(target, Defined):
        return target
    return registry.of_class(target) if isinstance(target, type) else registry.get(target)


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
    check_hooks(definition.hooks, definition.place, is_async=definition.is_async)
    registry.register(definition)
    return definition
