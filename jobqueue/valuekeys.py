"""The keys of background values: whether a value has any, and which of them a change makes old."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db.models import Model

from jobqueue.arity import Arity
from jobqueue.exceptions import InvalidDefinition

KeyOf = Callable[[Any], Any]
RefreshOn = Collection[type[Model] | str] | Mapping[type[Model] | str, KeyOf]


def takes_key(compute: Callable[..., Any], place: str) -> bool:
    """Tell whether what computes a value computes one for each key."""
    arity = Arity.of(compute)
    if arity.fewest <= 0:
        return False
    if arity.fewest <= 1 <= arity.most:
        return True
    raise InvalidDefinition(f"{place}: compute should take no argument, or one, the key.")


def keys_of(refresh_on: RefreshOn, is_keyed: bool, place: str) -> Mapping[type[Model] | str, KeyOf]:
    """Return what tells the key of a changed instance, by the model it is of."""
    if not refresh_on:
        return {}
    if is_keyed and isinstance(refresh_on, Mapping):
        return refresh_on
    if not is_keyed and not isinstance(refresh_on, (Mapping, str)):
        return dict.fromkeys(refresh_on, _no_key)
    wanted = "a dict from model to function of the key" if is_keyed else "a tuple of models"
    raise InvalidDefinition(f"{place}: refresh_on={refresh_on!r} should be {wanted}.")


def plain(key: Any) -> Any:
    """Return a key as a job can get it: numbers and text as they are, others, such as a UUID, as text."""
    return key if key is None or type(key) in (int, str) else str(key)


def _no_key(instance: Model) -> None:
    return None
