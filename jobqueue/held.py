"""A job in flight as Redis holds it: under its token, in the hash of its run."""

from __future__ import annotations

import re
from typing import NamedTuple

from jobqueue.keys import to_text

_NO_TOKENS = frozenset({b"worker", b"next"})
"""Fields beside the tokens: the worker's id, the first token not yet claimed."""
_TOKEN = re.compile(rb"[1-9][0-9]{0,15}")
_HELD = re.compile(rb"([01]):(\d{1,9}):")


class Held(NamedTuple):
    """A job in flight as Redis holds it."""

    token: int
    is_started: bool
    queue: str
    payload: bytes


def parse_held(fields: dict[bytes, bytes]) -> tuple[str, list[Held]]:
    """Read an ``inflight`` hash: the worker's id, and its jobs in the order of their claims."""
    worker_id = to_text(fields.get(b"worker", b""))
    held = [read_held(_token(field), value) for field, value in fields.items() if field not in _NO_TOKENS]
    return worker_id, sorted(held)


def read_held(token: int, value: bytes) -> Held:
    """Read ``<0|1>:<bytes of the queue's name>:<queue><payload>``; raise ValueError if it is no such text."""
    match = _HELD.match(value)
    start = match.end() if match else 0
    end = start + int(match[2]) if match else 0
    if match is None or end > len(value):
        raise ValueError(f"{value[:80]!r} is not how a payload is held in flight")
    return Held(token, match[1] == b"1", to_text(value[start:end]), value[end:])


def is_token(field: bytes) -> bool:
    """Tell whether a field of an ``inflight`` hash is a token as scripts write them."""
    return bool(_TOKEN.fullmatch(field))


def _token(field: bytes) -> int:
    if not is_token(field):
        raise ValueError(f"{field[:80]!r} is no token of a job in flight")
    return int(field)
