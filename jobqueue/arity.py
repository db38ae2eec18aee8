"""Which arguments a function takes, checked before it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jobqueue.exceptions import InvalidArguments

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_UNLIMITED = 2**31


class Arity(NamedTuple):
    """The arguments a function takes.

    The numbers answer for a call without keywords, by far the most frequent one, without binding.
    """

    signature: inspect.Signature | None
    fewest: int
    most: int

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Arity:
        """Read a function's signature; what has none, such as some functions in C, takes anything."""
        try:
            signature = inspect.signature(function)
        except ValueError:
            return cls(None, 0, _UNLIMITED)
        return cls(signature, *_limits(signature))

    def check(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Raise InvalidArguments, naming the job and its signature, if the arguments do not fit."""
        if self.fewest <= len(args) <= self.most and not kwargs:
            return
        if self.signature is None:
            return
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidArguments(f"{name}{_shown(self.signature)} cannot be called so: {error}.") from None


def _limits(signature: inspect.Signature) -> tuple[int, int]:
    """Return the fewest and the most positional arguments; an empty range if a keyword is required."""
    parameters = signature.parameters.values()
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    fewest = sum(parameter.default is parameter.empty for parameter in positional)
    most = len(positional)
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            most = _UNLIMITED
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            fewest = _UNLIMITED + 1
    return fewest, most


def _shown(signature: inspect.Signature) -> str:
    """Return the names and defaults alone; annotations would only be noise in a message."""
    empty = inspect.Parameter.empty
    bare = [parameter.replace(annotation=empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
