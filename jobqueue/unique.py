"""Which jobs of a unique definition are equal, and what becomes of one that meets its equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobqueue import locks, rubyjson
from jobqueue.arity import Arity
from jobqueue.defined import Defined

_UNTIL = {"queued": "queued", "until_done": "done"}


def lock_field(definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return what stands in the payload of a unique job: which lock it has, and until when.

    Raises InvalidArguments if the definition's ``unique_by`` does not take these arguments, or does not
    return a JSON value; what it raises itself propagates.
    """
    identity = _identity(definition, args, kwargs)
    rubyjson.check(identity, f"unique_by of {definition.name}" if definition.unique_by else "args")
    return locks.field(_UNTIL[definition.unique or "queued"], locks.digest(definition.name, identity))


def _identity(definition: Defined[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    if definition.unique_by is None:
        return _bound(definition.arity, args, kwargs)
    Arity.of(definition.unique_by).check(f"unique_by of {definition.name}", args, kwargs)
    chosen = definition.unique_by(*args, **kwargs)
    return list(chosen) if isinstance(chosen, tuple) else chosen


def _bound(arity: Arity, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return the arguments by their parameters: however they were passed, equal calls are equal.

    One that is passed as its default is the same as one that is left out.
    """
    if arity.signature is None:
        return [list(args), dict(kwargs)]
    bound = arity.signature.bind(*args, **kwargs).arguments
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in bound.items()}
    defaults = {name: parameter.default for name, parameter in arity.signature.parameters.items()}
    return {name: value for name, value in found.items() if not _is(value, defaults[name])}


def _is(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
