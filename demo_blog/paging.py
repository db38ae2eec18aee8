"""Pages of a long list, told apart without counting the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

LAST = 1_000_000
"""A page number above is taken for this one: databases refuse offsets that are beyond all numbers."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page; ``newer`` and ``older`` are the numbers of its neighbours, None where there is none."""

    items: Sequence[Any]
    newer: int | None
    older: int | None


def page_of(found: QuerySet[Any], wanted: str | None, size: int) -> Page:
    """Return the page that ``?page=`` wants, the first one for anything that is no page number."""
    number = min(int(wanted), LAST) if wanted and wanted.isdecimal() and len(wanted) < 20 else 1
    number = max(number, 1)
    # One item more than the page holds tells whether another page follows.
    items = list(found[(number - 1) * size : number * size + 1])
    return Page(
        items=items[:size],
        newer=number - 1 or None,
        older=number + 1 if len(items) > size else None,
    )
