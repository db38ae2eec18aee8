"""JSON spelled as Ruby's json library spells it, so that both find a job by its text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from pathlib import PurePath
from typing import Any, NoReturn
from uuid import UUID

from django.utils.functional import Promise

from jobqueue import plainjson
from jobqueue.exceptions import InvalidArguments
from jobqueue.plainjson import LARGEST_INT_BITS, SPELLED_ALIKE

DEEPEST = 100
"""Ruby reads no JSON whose lists and objects are nested deeper."""

DEEPEST_ARGUMENT = 90
"""Ruby must still read an argument where a failure wraps the payload that holds it."""

_LONGEST_SHOWN = 80

_plain = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode

_MAYBE_ODD_FLOAT = re.compile(r"\d(?:e[-+]|\d{15}\.)")
"""A number that Ruby and Python spell differently, or text that looks like one."""

_MAYBE_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


def encode(value: Any) -> str:
    """Return the JSON text of ``value``, compact; raise ValueError or TypeError where there is none."""
    text = _plain(value)
    return _ruby(value) if _MAYBE_ODD_FLOAT.search(text) else text


def decode(text: bytes, deepest: int = DEEPEST) -> Any:
    """Return the value of a JSON text; raise ValueError, with the reason, if Ruby could not read it.

    Half a surrogate pair, which JSON can spell but no page can show, is read as ``?``.
    """
    try:
        value = _decode(text)
    except RecursionError:
        raise ValueError(f"it is nested more than {deepest} levels deep") from None
    if may_be_deeper(text, deepest) and _depth(value) > deepest:
        raise ValueError(f"it is nested more than {deepest} levels deep")
    return value


def may_be_deeper(text: bytes, levels: int = DEEPEST) -> bool:
    """Tell whether a JSON text has room for more nested levels."""
    return len(text) > 2 * levels and text.count(b"[") + text.count(b"{") > levels


def check(value: Any, path: str) -> None:
    """Raise InvalidArguments, naming the culprit below ``path``, unless ``value`` survives JSON unchanged."""
    if not _all_sound((value,), DEEPEST_ARGUMENT):
        raise InvalidArguments(_complaint(value, path, DEEPEST_ARGUMENT))


def shown(value: object) -> str:
    """Return ``repr(value)`` for a message: cut when long, and never an error."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__} without a repr>"
    return cut(text)


def cut(text: str) -> str:
    """Return ``text``, its middle left out if it is too long for a message."""
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[: _LONGEST_SHOWN - 20]}…{text[-19:]}"


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written as UTF-8, which half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ruby(value: Any) -> str:
    if isinstance(value, float):
        return _ruby_float(value)
    if isinstance(value, list):
        return f"[{','.join(map(_ruby, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_plain(key)}:{_ruby(item)}' for key, item in value.items())}}}"
    return _plain(value)


def _ruby_float(value: float) -> str:
    first, end = SPELLED_ALIKE
    if value == 0 or first <= abs(value) < end:
        return repr(value)
    # Python begins exponents at 1e16, but both know the same shortest digits
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        sign, digits = mantissa[: value < 0], mantissa.lstrip("-").replace(".", "").rstrip("0")
        mantissa, exponent = f"{sign}{digits[0]}.{digits[1:]}", "+15"
    mantissa = mantissa if "." in mantissa else f"{mantissa}."
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}e{exponent}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _decode(text: bytes) -> Any:
    try:
        return plainjson.decode(text)
    except plainjson.REFUSALS:
        value = _decoder.decode(text.decode())
        return _with_whole_characters(value) if _MAYBE_HALF_PAIR.search(text) else value


def _with_whole_characters(value: Any) -> Any:
    return _decoder.decode(_plain(value).encode("utf-8", "replace").decode())


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while containers := [item for item in level if isinstance(item, (list, dict))]:
        depth += 1
        level = [
            inner for item in containers for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _all_sound(values: Iterable[Any], levels: int) -> bool:
    """Tell whether each value is exactly what JSON gives back. Runs at every enqueue, hence its shape."""
    for value in values:
        kind = type(value)
        if kind is str:
            sound = value.isascii() or is_unicode(value)
        elif kind is int:
            sound = value.bit_length() <= LARGEST_INT_BITS
        elif value is None or kind is bool:
            continue
        elif kind is float:
            sound = isfinite(value)
        elif kind is list:
            sound = levels > 0 and _all_sound(value, levels - 1)
        elif kind is dict:
            sound = levels > 0 and _keys_sound(value) and _all_sound(value.values(), levels - 1)
        else:
            sound = _is_sound_subclass(value)
        if not sound:
            return False
    return True


def _keys_sound(keys: Iterable[Any]) -> bool:
    return all(isinstance(key, str) and (key.isascii() or is_unicode(key)) for key in keys)


def _is_sound_subclass(value: Any) -> bool:
    """Accept what Django hands out as text and numbers: safe strings, choices."""
    if isinstance(value, str):
        return is_unicode(value)
    return isinstance(value, int) and value.bit_length() <= LARGEST_INT_BITS


def _complaint(value: Any, path: str, levels: int) -> str:
    """Say where below ``path`` the first value stands that JSON cannot hold, why, and the way out."""
    if type(value) not in (list, dict):
        return f"{cut(path)}: {shown(value)} {_rule(value)}"
    if levels == 0:
        return f"{cut(path)} is nested more than {DEEPEST_ARGUMENT} levels deep, or holds itself; flatten it"
    for step, item in _steps(value):
        if not _all_sound((item,), levels - 1):
            return _complaint(item, f"{path}{step}", levels - 1)
    bad = next(key for key in value if not _keys_sound((key,)))
    if isinstance(bad, str):
        return f"{cut(path)}: the key {shown(bad)} {_rule(bad)}"
    return (
        f"{cut(path)}: the key {shown(bad)} is no text, and JSON has no other keys; pass text, e.g. str(key)"
    )


def _steps(value: Any) -> Iterable[tuple[str, Any]]:
    """Yield each item with what its path adds: ``[1]``, ``.when`` or ``["no identifier"]``."""
    if isinstance(value, list):
        return ((f"[{index}]", item) for index, item in enumerate(value))
    return ((_step(key), item) for key, item in value.items())


def _step(key: Any) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{shown(key)}]"


def _rule(value: Any) -> str:
    if isinstance(value, str):
        return "is no valid Unicode text (it holds half a surrogate pair); pass bytes as base64"
    if isinstance(value, float) and not isfinite(value):
        return "is no JSON number; pass None or text"
    if isinstance(value, int):
        return "has more digits than can be read back (4,300); pass text"
    return f"is no JSON value; pass {_way_out(value)}"


def _way_out(value: Any) -> str:
    if hasattr(type(value), "pk"):
        return "its key, e.g. value.pk, and load it in the job"
    return next(
        (way for kinds, way in _WAYS_OUT if isinstance(value, kinds)), "text, numbers, lists or dicts"
    )


_WAYS_OUT: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (Enum, "its value, e.g. value.value"),
    (float, "a plain number, e.g. float(value)"),
    (dict, "a plain dict, e.g. dict(value)"),
    ((tuple, list), "a list, e.g. list(value)"),
    ((set, frozenset), "a list, e.g. sorted(value)"),
    ((bytes, bytearray, memoryview), "text, e.g. value.decode()"),
    ((date, time), "text, e.g. value.isoformat()"),
    (timedelta, "seconds, e.g. value.total_seconds()"),
    ((Decimal, UUID, PurePath, Promise), "text, e.g. str(value)"),
)
