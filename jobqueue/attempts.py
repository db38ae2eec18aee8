"""The failed attempts of a job that is tried again, as they stand in its payload.

``"attempts":[{"failed_at":"…","exception":"…","error":"…"}]``, oldest first; of many the newest are kept, and
``"attempts_dropped"`` counts the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

KEPT = 25
LONGEST_TEXT = 200
MOST_DROPPED = 1_000_000
"""No job of ours has more: whatever counts on has been written by a stranger."""


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One attempt that failed; a text that is missing is empty."""

    failed_at: str = ""
    """As in the Failed list: ``2026/11/21 00:01:12 UTC``."""
    exception: str = ""
    error: str = ""

    def written(self) -> dict[str, str]:
        """Return it as it stands in a payload, where long texts are cut."""
        return {
            "failed_at": self.failed_at,
            "exception": _cut(self.exception),
            "error": _cut(self.error),
        }


def read(fields: dict[str, Any]) -> tuple[tuple[Attempt, ...], int]:
    """Return the attempts in a payload's fields, and how many more there were; a stranger's count as none."""
    listed, dropped = fields.get("attempts"), fields.get("attempts_dropped")
    entries = listed if isinstance(listed, list) else []
    found = [entry for entry in entries if isinstance(entry, dict)]
    others = dropped if type(dropped) is int and 0 < dropped <= MOST_DROPPED else 0
    return tuple(_read(entry) for entry in found[-KEPT:]), others + max(len(found) - KEPT, 0)


def write(attempts: Sequence[Attempt], dropped: int) -> dict[str, Any]:
    """Return the fields that tell of attempts; none where there were none."""
    if not attempts:
        return {}
    fields: dict[str, Any] = {"attempts": [attempt.written() for attempt in attempts[-KEPT:]]}
    if dropped := dropped + max(len(attempts) - KEPT, 0):
        fields["attempts_dropped"] = dropped
    return fields


def _read(entry: dict[str, Any]) -> Attempt:
    texts = (entry.get(name) for name in Attempt.__struct_fields__)
    return Attempt(*(text if isinstance(text, str) else "" for text in texts))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
