"""Resque's hooks of class jobs: methods whose names start with a hook's name, in alphabetical order.

    before_enqueue(*args)           in the process that enqueues; returning False vetoes the enqueue
    after_enqueue(*args)            there, once Redis has the job
    before_schedule(*args)          in the process that delays it, before the others; returning False vetoes
    after_schedule(*args)           there, last, once Redis has the delayed job
    before_dequeue(*args)           returning False vetoes the removal
    after_dequeue(*args)            also when nothing was found
    before_perform(*args)           in the worker; raising DontPerform ends the job quietly
    around_perform(perform, *args)  the job runs when it calls ``perform()``, and else does not run
    after_perform(*args)            not after a failure
    on_failure(error, *args)        the job, or another of its hooks, raised ``error``

Keyword arguments of the job follow the positional ones. ``around_perform`` of a job that is ``async def`` is
``async def`` too, and awaits ``perform()``; all other hooks are ordinary methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jobqueue.exceptions import InvalidDefinition

Hook = Callable[..., Any]


class Hooks(NamedTuple):
    """The hooks of one definition, each kind in the order in which its hooks run."""

    before_enqueue: tuple[Hook, ...] = ()
    after_enqueue: tuple[Hook, ...] = ()
    before_schedule: tuple[Hook, ...] = ()
    after_schedule: tuple[Hook, ...] = ()
    before_dequeue: tuple[Hook, ...] = ()
    after_dequeue: tuple[Hook, ...] = ()
    before_perform: tuple[Hook, ...] = ()
    around_perform: tuple[Hook, ...] = ()
    after_perform: tuple[Hook, ...] = ()
    on_failure: tuple[Hook, ...] = ()

    @classmethod
    def of(cls, owner: type) -> Hooks:
        """Find the hooks of a class; raise InvalidDefinition for one that needs an instance."""
        return cls(*(tuple(_found(owner, kind)) for kind in cls._fields))


NO_HOOKS = Hooks()

_AWAITED = "has to be `async def`, as the job is: write `await perform()` in it"
_CALLED = (
    "has to be an ordinary `def`: hooks are called and not awaited, but for the around_perform of an "
    "`async def` job"
)


def allow(hooks: Iterable[Hook], args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Run all before-hooks of an enqueue or dequeue; tell whether none of them returned False."""
    answers = [hook(*args, **kwargs) for hook in hooks]
    return not any(answer is False for answer in answers)


def announce(hooks: Iterable[Hook], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Run the after-hooks of an enqueue or dequeue; what one raises propagates."""
    for hook in hooks:
        hook(*args, **kwargs)


def check_hooks(hooks: Hooks, place: str, *, is_async: bool) -> None:
    """Refuse hooks that would be called where they have to be awaited, or awaited where they are called."""
    for kind, found in zip(Hooks._fields, hooks, strict=True):
        should_be_async = is_async and kind == "around_perform"
        for hook in found:
            if inspect.iscoroutinefunction(hook) is not should_be_async:
                way = _AWAITED if should_be_async else _CALLED
                raise InvalidDefinition(f"{place}: the hook {hook.__qualname__} {way}.")


def _found(owner: type, kind: str) -> Iterable[Hook]:
    for name in sorted(dir(owner)):
        if name.startswith(kind) and callable(hook := getattr(owner, name)):
            if inspect.isfunction(inspect.getattr_static(owner, name)):
                raise InvalidDefinition(
                    f"{owner.__module__}.{owner.__qualname__}.{name} is a hook, and hooks run without an "
                    "instance: make it a @staticmethod or @classmethod, or give it another name."
                )
            yield hook
