"""Failures: the entries of the Failed list, written as Resque writes them and read whoever wrote them."""

from __future__ import annotations

import base64
import hashlib
import re
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

import msgspec

from jobqueue import clock, ids, payload, rubyjson
from jobqueue.exceptions import InvalidPayload

_PERFORMING = {
    str(Path(__file__).with_name(f"{name}.py")) for name in ("performing", "calling", "coroutines")
}
"""Lines of a traceback from here outwards say nothing about the job."""
_INTERRUPTION = str(Path(__file__).with_name("interruption.py"))
"""Innermost lines from here say how an interruption came, not where it met the job."""
_READABLE_BYTES = 1_000

_RETRIED_END = re.compile(rb'(?:,"retried_at":(?:"[^"\\]*"|null))?}\Z')


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What an entry of the Failed list tells; a text that is missing is empty."""

    raw: bytes
    """The entry as it stands in Redis."""
    failed_at: str = ""
    job: payload.Job | None = None
    """The job that failed; None if its payload names none."""
    exception: str = ""
    error: str = ""
    backtrace: list[str] = field(default_factory=list)
    worker: str = ""
    queue: str = ""
    retried_at: str = ""
    """When it was last retried; empty if never."""
    complaint: str = ""
    """One line on what is wrong with the entry itself; empty if nothing is."""

    @property
    def digest(self) -> str:
        """A name for exactly this text, fit for a URL."""
        return hashlib.sha1(self.raw, usedforsecurity=False).hexdigest()

    @classmethod
    def parse(cls, raw: bytes) -> Failure:
        """Read an entry; one that is broken still gives a failure, with a complaint."""
        try:
            fields = rubyjson.decode(raw)
        except ValueError as error:
            return cls(raw=raw, complaint=_one_line(f"this entry is no JSON: {error}"))
        if not isinstance(fields, dict):
            return cls(raw=raw, complaint="this entry is JSON, but no object")
        return _Reader(fields).failure(raw)


def entry(
    payload: bytes,
    *,
    exception: str,
    error: str,
    backtrace: list[str],
    worker: str,
    queue: str,
    failed_at: float | None = None,
) -> bytes:
    """Return the text of a failure; characters that cannot be encoded become ``?``.

    ``failed_at`` is in seconds since the epoch, by default now. A payload that is no JSON
    object is kept as text: ``{"class":null,"args":[],"raw":"…"}``. Where it is no UTF-8 ``raw`` is for
    people, and ``base64`` holds its bytes.
    """
    when = clock.failed_at(time.time() if failed_at is None else failed_at)
    parts = (
        b'{"failed_at":' + _json(when),
        b'"payload":' + embedded(payload),
        b'"exception":' + _json(exception),
        b'"error":' + _json(error),
        b'"backtrace":[' + b",".join(map(_json, backtrace)) + b"]",
        b'"worker":' + _json(worker),
        b'"queue":' + _json(queue) + b"}",
    )
    return b",".join(parts)


def describe(error: BaseException) -> tuple[str, str, list[str]]:
    """Return an error's class path, its message and its backtrace, innermost line first."""
    kind = type(error)
    path = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return path, _message(error), list(_backtrace(error))


def retried(entry: bytes, at: float | None = None) -> bytes:
    """Return the entry marked as retried at ``at`` (seconds since the epoch, by default now).

    Every other byte stays; an entry that is no JSON object is returned unchanged.
    """
    try:
        fields = rubyjson.decode(entry)
    except ValueError:
        return entry
    if not isinstance(fields, dict) or not fields:
        return entry
    when = _json(clock.failed_at(time.time() if at is None else at))
    return _RETRIED_END.sub(lambda _: b',"retried_at":' + when + b"}", entry.rstrip())


def retry_payload(failure: Failure) -> bytes:
    """Return the payload that does a failed job again: a job of its own, which names the failed one.

    A job without an id, a Ruby client's, is enqueued again without one. Raise InvalidPayload if
    the failure names no job.
    """
    if failure.job is None:
        raise InvalidPayload(f"this failure cannot be retried: {failure.complaint}")
    again = payload.Job(failure.job.name, failure.job.args, failure.job.kwargs)
    if failure.job.id:
        own = {"retry_of": failure.job.id, "unique": failure.job.unique}
        again = msgspec.structs.replace(again, id=ids.new_id(), **own)
    try:
        return payload.write(again)
    except ValueError as error:
        raise InvalidPayload(f"this failure cannot be retried: {error}") from error


class _Reader:
    """Reads the fields of an entry and collects what is wrong with them."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        self._complaints: list[str] = []

    def failure(self, raw: bytes) -> Failure:
        read = {name: self._text(name, required=True) for name in ("failed_at", "worker", "queue")}
        read |= {name: self._text(name) for name in ("exception", "error", "retried_at")}
        job, backtrace = self._job(), self._backtrace()
        return Failure(
            raw=raw, job=job, backtrace=backtrace, complaint=_one_line("; ".join(self._complaints)), **read
        )

    def _text(self, name: str, *, required: bool = False) -> str:
        value = self._fields.get(name)
        if isinstance(value, str):
            return value
        if value is None and not required:
            return ""
        self._complaints.append(f"its {name} is {rubyjson.shown(value)}, not text")
        return "" if value is None else rubyjson.shown(value)

    def _job(self) -> payload.Job | None:
        fields = self._fields.get("payload")
        try:
            return payload.read(fields)
        except InvalidPayload as error:
            self._complaints.append(str(error))
            return None

    def _backtrace(self) -> list[str]:
        lines = self._fields.get("backtrace")
        if lines is None:
            return []
        if isinstance(lines, list):
            return [line if isinstance(line, str) else rubyjson.shown(line) for line in lines]
        self._complaints.append(f"its backtrace is {rubyjson.shown(lines)}, not a list")
        return lines.splitlines() if isinstance(lines, str) else []


def _json(text: str | bytes) -> bytes:
    """Return a JSON text, whatever it is made of."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return rubyjson.encode(str(text)).encode("utf-8", "replace")


def embedded(payload: bytes) -> bytes:
    """Return a payload as it stands, so that Ruby's spelling survives, if it fits into an entry."""
    try:
        fits = isinstance(rubyjson.decode(payload, rubyjson.DEEPEST - 1), dict)
    except ValueError:
        fits = False
    if fits:
        return payload
    return b'{"class":null,"args":[],' + _as_text(payload) + b"}"


def _as_text(payload: bytes) -> bytes:
    """Return the fields that keep any bytes; those that are no UTF-8 would not come back from text alone."""
    try:
        return b'"raw":' + _json(payload.decode())
    except UnicodeDecodeError:
        beginning = payload[:_READABLE_BYTES].decode("utf-8", "backslashreplace")
        return b'"raw":%s,"base64":"%s"' % (_json(beginning), base64.b64encode(payload))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} whose message cannot be read>"


def _backtrace(error: BaseException) -> Iterator[str]:
    frames = reversed(list(traceback.walk_tb(error.__traceback__)))
    met = dropwhile(lambda place: place[0].f_code.co_filename == _INTERRUPTION, frames)
    ours = takewhile(lambda place: place[0].f_code.co_filename not in _PERFORMING, met)
    return (f"{frame.f_code.co_filename}:{line}:in `{frame.f_code.co_name}'" for frame, line in ours)


def _one_line(text: str) -> str:
    return " ".join(text.split())
