"""Jobs and their payloads: the JSON texts that stand in Redis.

A payload is Resque's ``{"class", "args"}``, then the fields of our own that have something to say:
``id``, ``unique``, ``attempts``, ``crashes``, ``retry_of``. Ruby drops those when it retries or delays a job,
so keyword arguments travel inside ``args``, as a last element ``{"_kwargs": {…}}``.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import Any

import msgspec

from jobqueue import attempts, ids, plainjson, rubyjson
from jobqueue.attempts import Attempt
from jobqueue.conf import settings
from jobqueue.exceptions import InvalidArguments, InvalidPayload, PayloadTooLarge

KWARGS = "_kwargs"
LARGE_BYTES = 100_000
"""A payload over this size is worth a warning: Redis keeps it in memory, and every page shows it."""
MOST_CRASHES = 1_000_000
"""No job of ours has more: whatever counts on has been written by a stranger."""

ID_FIELD = b',"id":"'
ID_PLACE = slice(-(len(ID_FIELD) + ids.LENGTH + 2), -(ids.LENGTH + 2))
"""Where ``ID_FIELD`` stands if an id of ours is the last field, as in nearly all payloads: then none of those
follow that stand behind it. Whoever looks at each job looks there first, which is quicker than a search.
"""

_log = logging.getLogger("jobqueue")

_SHOWN_BYTES = 400
_OWN_END = re.compile(rb'(?:,"crashes":\d+)?(,"retry_of":"[^"\\]*")?}\Z')


class Job(msgspec.Struct, frozen=True, gc=False):
    """One enqueued unit: which definition is to be performed, with what."""

    name: str
    args: list[Any]
    kwargs: dict[str, Any] = {}
    id: str | None = None
    crashes: int = 0
    """How many processes died while they had it."""
    retry_of: str | None = None
    """The id of the failed job that this one repeats."""
    attempts: tuple[Attempt, ...] = ()
    """The newest of its attempts that failed, oldest first."""
    attempts_dropped: int = 0
    """How many more there were before them."""
    unique: str | None = None
    """Which lock it has, and until when; see ``locks``."""

    @property
    def attempt(self) -> int:
        """The number of the attempt that is under way, or comes next; 1 for the first."""
        return self.attempts_dropped + len(self.attempts) + 1

    @property
    def enqueued_at(self) -> datetime | None:
        """When it was enqueued, as its id tells; None without an id of ours."""
        return ids.enqueued_at(self.id) if self.id else None


class _Plain(msgspec.Struct, rename={"name": "class"}, forbid_unknown_fields=True):
    """The payload of nearly every job, read at once; any other is refused."""

    name: str
    args: list[Any]
    id: str | None = None
    retry_of: str | None = None


_decode_plain = msgspec.json.Decoder(_Plain).decode


def encode(job: Job) -> bytes:
    """Return the payload of a job that is enqueued.

    Raise InvalidArguments if an argument would not survive JSON unchanged, PayloadTooLarge
    if the payload is over the setting ``max_payload_bytes``.
    """
    payload = _plain(job) or _checked(job)
    if len(payload) > min(LARGE_BYTES, settings.max_payload_bytes):
        _weigh(job, len(payload))
    return payload


def write(job: Job) -> bytes:
    """Return the payload of a job whose arguments are known to be JSON; raise ValueError if not."""
    return rubyjson.encode(_fields(job)).encode()


def decode(payload: bytes) -> Job:
    """Return the job of a payload, whoever wrote it; raise InvalidPayload if it names none."""
    try:
        plain = _decode_plain(payload)
    except plainjson.REFUSALS:
        return _decode_any(payload)
    if rubyjson.may_be_deeper(payload):
        return _decode_any(payload)
    args = plain.args
    if args and type(args[-1]) is dict:
        return Job(plain.name, *_arguments(args), plain.id, 0, plain.retry_of)
    return Job(plain.name, args, {}, plain.id, 0, plain.retry_of)


def _decode_any(payload: bytes) -> Job:
    try:
        fields = rubyjson.decode(payload)
    except ValueError as error:
        raise InvalidPayload(f"{_shown(payload)} is no JSON: {error}") from error
    return read(fields)


def read(fields: Any) -> Job:
    """Return the job of a payload's value; raise InvalidPayload if it names none."""
    if not isinstance(fields, dict):
        raise InvalidPayload(f"{rubyjson.shown(fields)} is no job: a payload is a JSON object")
    name = fields.get("class")
    if not isinstance(name, str):
        raise InvalidPayload(
            f"{rubyjson.shown(fields)} names no job: its class is {rubyjson.shown(name)}, not text"
        )
    args, kwargs = _arguments(fields.get("args"))
    return Job(name, args, kwargs, *_own(fields))


def with_crashes(payload: bytes, crashes: int) -> bytes:
    """Return the payload with another count of crashes, every other byte as it was.

    A text that is no job is returned unchanged.
    """
    try:
        decode(payload)
    except InvalidPayload:
        return payload
    field = b',"crashes":%d' % crashes if crashes else b""
    return _OWN_END.sub(lambda end: field + (end[1] or b"") + b"}", payload.rstrip())


def _shown(payload: bytes) -> str:
    """Return the ends of a text, in reach of ``rubyjson.cut``; the middle may be huge."""
    ends = payload if len(payload) <= 2 * _SHOWN_BYTES else payload[:_SHOWN_BYTES] + payload[-_SHOWN_BYTES:]
    return rubyjson.shown(ends.decode("utf-8", "backslashreplace"))


def _fields(job: Job) -> dict[str, Any]:
    fields: dict[str, Any] = {"class": job.name, "args": job.args}
    if job.kwargs:
        fields["args"] = [*job.args, {KWARGS: job.kwargs}]
    if job.id:
        fields["id"] = job.id
    if job.unique:
        fields["unique"] = job.unique
    if job.attempts:
        fields.update(attempts.write(job.attempts, job.attempts_dropped))
    if job.crashes:
        fields["crashes"] = job.crashes
    if job.retry_of:
        fields["retry_of"] = job.retry_of
    return fields


def _plain(job: Job) -> bytes | None:
    """Return the payload of a job that needs no closer look, as nearly all do."""
    if job.args and _is_kwargs(job.args[-1]):
        return None
    values = (job.args, job.kwargs) if job.kwargs else (job.args,)
    if not plainjson.is_plain(values, rubyjson.DEEPEST_ARGUMENT):
        return None
    try:
        return plainjson.encode(_fields(job))
    except plainjson.REFUSALS:
        return None


def _checked(job: Job) -> bytes:
    _check(job)
    return write(job)


def _check(job: Job) -> None:
    rubyjson.check(job.name, "name")
    rubyjson.check(job.args, "args")
    if job.kwargs:
        rubyjson.check(job.kwargs, "kwargs")
    if job.args and _is_kwargs(job.args[-1]):
        raise InvalidArguments(
            f"args[{len(job.args) - 1}]: a dict with the single key {KWARGS!r} is how keyword "
            f"arguments travel; use another key"
        )


def _is_kwargs(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and KWARGS in value


def _weigh(job: Job, size_bytes: int) -> None:
    if size_bytes > settings.max_payload_bytes:
        raise PayloadTooLarge(
            f"the payload of {job.name!r} has {size_bytes:,} bytes, over JOBQUEUE_MAX_PAYLOAD_BYTES "
            f"({settings.max_payload_bytes:,}); store the data elsewhere and pass its key"
        )
    _log.warning(
        "large payload job=%s bytes=%d; better store the data and pass its key", job.name, size_bytes
    )


def _arguments(args: Any) -> tuple[list[Any], dict[str, Any]]:
    """Read ``args`` as Ruby does, null as none and a bare value as one, and part the keywords from it."""
    if args is None:
        return [], {}
    if not isinstance(args, list):
        return [args], {}
    if args and _is_kwargs(args[-1]) and isinstance(args[-1][KWARGS], dict):
        return args[:-1], args[-1][KWARGS]
    return args, {}


def _own(fields: dict[str, Any]) -> tuple[str | None, int, str | None, tuple[Attempt, ...], int, str | None]:
    """Read the fields of our own; one of a wrong type, a stranger's, counts as absent."""
    id, crashes, retry_of = fields.get("id"), fields.get("crashes"), fields.get("retry_of")
    unique = fields.get("unique")
    return (
        id if isinstance(id, str) else None,
        crashes if type(crashes) is int and 0 < crashes <= MOST_CRASHES else 0,
        retry_of if isinstance(retry_of, str) else None,
        *attempts.read(fields),
        unique if isinstance(unique, str) else None,
    )
