"""Browse the keys of our namespace: typed, in pages, never changed; SCAN and never KEYS.

Keys and values are bytes of any kind; names travel as text that ``to_bytes`` turns back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from jobqueue.connection import keys
from jobqueue.inspection.replies import ask, fetch
from jobqueue.keys import to_bytes, to_text

SCAN_COUNT = 500
SCANS_AT_MOST = 20
"""A database shared with millions of foreign keys must not make a page slow: look on from the next page."""
STRING_PAGE_BYTES = 16_384
ITEM_BYTES = 4_096
"""An element of a list, set, hash or sorted set is shown up to here."""
SIZE_COMMANDS = {
    "string": "STRLEN",
    "list": "LLEN",
    "set": "SCARD",
    "zset": "ZCARD",
    "hash": "HLEN",
    "stream": "XLEN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. ``size`` is bytes of a string, else elements; None if its type is not known here.

    ``ttl_seconds`` is None for a key that stays.
    """

    name: str
    type: str
    size: int | None
    ttl_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage:
    """Some keys in no order; ``cursor`` is where to look on, 0 if everything was seen."""

    keys: list[Key]
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One element: its field, score, index or entry id (nothing for a set), and its value up to a limit."""

    label: str
    value: bytes
    length: int

    @property
    def is_cut(self) -> bool:
        return self.length > len(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A page of a key's value. ``following`` is the position to go on from, None at the end."""

    key: Key
    rows: list[Row]
    position: int
    following: int | None
    complaint: str = ""


def page(cursor: int, holding: str = "", size: int = 100) -> KeysPage:
    """Return at least ``size`` keys whose name holds a text, or all that a few scans find."""
    pattern = escape(keys().prefix) + b"*" + (escape(holding) + b"*" if holding else b"")
    found: dict[bytes, None] = {}
    for _ in range(SCANS_AT_MOST):
        answered, names = ask("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT)
        cursor = int(answered)
        found.update(dict.fromkeys(names))
        if not cursor or len(found) >= size:
            break
    return KeysPage(keys=described([to_text(name) for name in sorted(found)]), cursor=cursor)


def escape(text: str) -> bytes:
    """Take the meaning from the signs of a Redis pattern."""
    raw: bytes = to_bytes(text)
    for sign in b"\\*?[]":
        raw = raw.replace(bytes([sign]), b"\\" + bytes([sign]))
    return raw


def is_ours(name: str) -> bool:
    """Tell whether a key stands in our namespace."""
    return name.startswith(keys().prefix)


def described(names: list[str]) -> list[Key]:
    """Return type, size and TTL of keys, in two round trips; keys that are gone are left out."""
    asked = fetch([command for name in names for command in (("TYPE", name), ("TTL", name))])
    types = [to_text(reply) if isinstance(reply, bytes) else str(reply) for reply in asked[::2]]
    typed = list(zip(names, types, strict=True))
    sizes = fetch([(SIZE_COMMANDS.get(type, "EXISTS"), name) for name, type in typed])
    return [
        _key(name, type, size, ttl)
        for name, type, size, ttl in zip(names, types, sizes, asked[1::2], strict=True)
        if type != "none"
    ]


def _key(name: str, type: str, size: Any, ttl: Any) -> Key:
    return Key(
        name=name,
        type=type,
        size=size if type in SIZE_COMMANDS and isinstance(size, int) else None,
        ttl_seconds=ttl if isinstance(ttl, int) and ttl >= 0 else None,
    )


def value(name: str, position: int, size: int = 50) -> Value | None:
    """Return a page of a key's value from a position on, or None if the key is gone or not ours.

    A position is a byte of a string, an index of a list or sorted set, a cursor of a set or hash.
    """
    if not is_ours(name) or not (found := described([name])):
        return None
    key = found[0]
    try:
        rows, following = READERS.get(key.type, _unknown)(to_bytes(name), position, size)
    except ResponseError as error:
        return Value(key=key, rows=[], position=position, following=None, complaint=str(error))
    complaint = "" if key.type in READERS else f"A value of type {key.type} cannot be shown."
    return Value(key=key, rows=rows, position=position, following=following, complaint=complaint)


Rows = tuple[list[Row], int | None]


def _string(key: bytes, position: int, size: int) -> Rows:
    end = position + STRING_PAGE_BYTES
    text = ask("GETRANGE", key, position, end - 1)
    return [Row(label="", value=text, length=len(text))], end if end < ask("STRLEN", key) else None


def _list(key: bytes, position: int, size: int) -> Rows:
    items = ask("LRANGE", key, position, position + size)
    rows = [_row(str(position + i), item) for i, item in enumerate(items[:size])]
    return rows, position + size if len(items) > size else None


def _set(key: bytes, position: int, size: int) -> Rows:
    cursor, members = ask("SSCAN", key, position, "COUNT", size)
    return [_row("", member) for member in sorted(members)], int(cursor) or None


def _hash(key: bytes, position: int, size: int) -> Rows:
    cursor, flat = ask("HSCAN", key, position, "COUNT", size)
    fields = sorted(zip(flat[::2], flat[1::2], strict=True))
    return [_row(to_text(field), value) for field, value in fields], int(cursor) or None


def _zset(key: bytes, position: int, size: int) -> Rows:
    flat = ask("ZRANGE", key, position, position + size, "WITHSCORES")
    pairs = list(zip(flat[::2], flat[1::2], strict=True))
    rows = [_row(to_text(score), member) for member, score in pairs[:size]]
    return rows, position + size if len(pairs) > size else None


def _stream(key: bytes, position: int, size: int) -> Rows:
    """Show the newest entries alone: jobqueue has no streams, and ids are no positions."""
    return [_entry(*entry) for entry in ask("XREVRANGE", key, "+", "-", "COUNT", size)], None


def _entry(entry_id: bytes, flat: list[bytes]) -> Row:
    fields = zip(flat[::2], flat[1::2], strict=True)
    return _row(to_text(entry_id), b" ".join(b"%s=%s" % field for field in fields))


def _unknown(key: bytes, position: int, size: int) -> Rows:
    return [], None


def _row(label: str, value: bytes) -> Row:
    return Row(label=label, value=value[:ITEM_BYTES], length=len(value))


READERS: dict[str, Callable[[bytes, int, int], Rows]] = {
    "string": _string,
    "list": _list,
    "set": _set,
    "zset": _zset,
    "hash": _hash,
    "stream": _stream,
}
