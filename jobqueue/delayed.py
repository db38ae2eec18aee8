"""The texts of delayed jobs: payloads that name their queue, as resque-scheduler writes them.

``{"class":…,"args":…,"queue":…}``, then the fields of our own. When a job is due its queue is taken out
again, and every other byte is as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from jobqueue import ids, plainjson, rubyjson
from jobqueue.exceptions import InvalidPayload

_FIRST = ("class", "args")
_LAST = ("crashes", "retry_of")
"""At the end counts are written; see ``payload.with_crashes``."""

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Delayed(NamedTuple):
    """What the text of a delayed job says: where it goes, and what is pushed there."""

    queue: str
    payload: bytes
    id: str = ""
    """Its own id, empty if it has none; ids sort by the time they were made."""


def member(payload: bytes, queue: str, told: Mapping[str, Any] | None = None) -> bytes:
    """Return the text under which a job stands in ``later``, where equal texts would be one job.

    ``told`` are fields that are set with it. A job without an id gets one. Raises InvalidPayload for what is
    no JSON object.
    """
    fields = _fields(payload)
    last = {name: fields.pop(name) for name in _LAST if name in fields}
    if not _text(fields.get("id", b"")):
        fields["id"] = plainjson.encode(ids.new_id())
    for name, value in (told or {}).items():
        fields[name] = rubyjson.encode(value).encode("utf-8", "replace")
    return _joined(_with_queue(fields | last, queue))


def bare(payload: bytes, queue: str) -> bytes:
    """Return the text under which a job stands in resque-scheduler's keys. Raises InvalidPayload."""
    return _joined(_with_queue(_fields(payload), queue))


def read(text: bytes) -> Delayed:
    """Return what the text of a delayed job says; raise InvalidPayload if that is no job, or has no queue."""
    fields = _fields(text)
    queue = _text(fields.pop("queue", b""))
    if not queue:
        raise InvalidPayload(f"{rubyjson.shown(text)} names no queue to which it could go")
    return Delayed(queue, _joined(fields), _text(fields.get("id", b"")))


def _fields(text: bytes) -> dict[str, bytes]:
    """Return the fields of a JSON object, each value's text as it stands there."""
    try:
        return {name: bytes(value) for name, value in _decode(text).items()}
    except plainjson.REFUSALS:
        return _fields_of_any(text)


def _fields_of_any(text: bytes) -> dict[str, bytes]:
    try:
        fields = rubyjson.decode(text)
    except ValueError as error:
        raise InvalidPayload(f"{rubyjson.shown(text)} is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidPayload(f"{rubyjson.shown(text)} is no job: a payload is a JSON object")
    return {name: rubyjson.encode(value).encode() for name, value in fields.items()}


def _with_queue(fields: dict[str, bytes], queue: str) -> dict[str, bytes]:
    if not rubyjson.is_unicode(queue):
        raise InvalidPayload(f"the queue {queue!r} is no valid Unicode, so no job can be delayed for it")
    first = {name: fields[name] for name in _FIRST if name in fields}
    first["queue"] = plainjson.encode(queue)
    return {**first, **{name: value for name, value in fields.items() if name not in first}}


def _text(value: bytes) -> str:
    """Return the text that a field holds, empty if it holds something else."""
    try:
        found = rubyjson.decode(value)
    except ValueError:
        return ""
    return found if isinstance(found, str) else ""


def _joined(fields: dict[str, bytes]) -> bytes:
    return b"{" + b",".join(plainjson.encode(name) + b":" + value for name, value in fields.items()) + b"}"
