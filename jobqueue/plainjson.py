"""The JSON of nearly all jobs, read and written by a fast library: msgspec.

It takes what every library reads and spells alike. It refuses the rest, never reads it as something else,
and leaves it to ``rubyjson``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

LARGEST_INT_BITS = 14_284
"""Python reads no integer of more than 4,300 digits."""

SPELLED_ALIKE = (1e-4, 1e15)
"""Floats from the first to below the second are spelled alike by Ruby and Python."""

REFUSALS = (msgspec.MsgspecError, ValueError, TypeError, RecursionError)
"""What a refusal raises."""

decode = msgspec.json.Decoder().decode
"""Return the value of a JSON text; raise one of ``REFUSALS`` if it is none, or not plain."""

encode = msgspec.json.Encoder().encode
"""Return the JSON text of a value that ``is_plain``; raise one of ``REFUSALS`` if a text is no Unicode."""


def is_plain(values: Iterable[Any], levels: int) -> bool:
    """Tell whether each value may be given to ``encode``. Runs at every enqueue, hence its shape.

    ``levels`` is how deep lists and objects may be nested in each.
    """
    for value in values:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            continue
        if kind is int:
            plain = value.bit_length() <= LARGEST_INT_BITS
        elif kind is float:
            plain = value == 0 or SPELLED_ALIKE[0] <= abs(value) < SPELLED_ALIKE[1]
        elif kind is list:
            plain = levels > 0 and is_plain(value, levels - 1)
        elif kind is dict:
            plain = levels > 0 and _are_texts(value) and is_plain(value.values(), levels - 1)
        else:
            plain = False
        if not plain:
            return False
    return True


def _are_texts(keys: Iterable[Any]) -> bool:
    return all(type(key) is str for key in keys)
