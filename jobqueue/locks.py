"""Locks of unique jobs: of jobs that are equal, one holds the lock, and waits or runs.

They stand in one hash, from a digest of what makes jobs equal to who holds the lock, where that job waits
and as which text: ``<id> <bytes of place>:<place><text>``. A place is ``queue:<name>`` or ``later``.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from jobqueue import rubyjson
from jobqueue.exceptions import InvalidPayload
from jobqueue.keys import to_bytes, to_text
from jobqueue.payload import decode

LATER = "later"
Change = tuple[int, str, str, bytes]
"""What becomes of the lock of a unique job that leaves flight: token, digest, id, the lock's new value."""
MARK = b'"unique":"'
"""Stands in the payload of every unique job, and of few others."""
_FIELD = re.compile(r"(queued|done):([0-9a-f]{24})")
_ID = re.compile(r"[!#-\[\]-~]{1,200}")
"""What stands in JSON as it is, and in a lock before a blank; all ids of ours do."""
_VALUE = re.compile(rb"(\S{1,200}) ([0-9]{1,9}):")


class Lock(NamedTuple):
    """The lock of one unique job, as the job's payload tells of it."""

    digest: str
    id: str
    """The job's own: it gives back no lock of another job."""
    ends_at_begin: bool
    """Until it begins; else until it has ended."""

    def value_after(self, how: str, queue: str, text: bytes) -> bytes:
        """Return the lock's value after the job has left flight, as ``Ending`` says; none gives it back."""
        if how == "back":
            return held(self.id, place(queue), text)
        return held(self.id, LATER, text) if how == "later" else b""


class Holder(NamedTuple):
    """Who holds a lock."""

    id: str
    place: str
    """Where it waits, or has waited: ``queue:<name>`` or ``later``."""
    text: bytes
    """What stands there, exactly."""

    @property
    def queue(self) -> str:
        """The queue in which it waits; empty if it waits for a moment."""
        return self.place.removeprefix("queue:") if self.place != LATER else ""


def field(until: str, digest: str) -> str:
    """Return what stands in a payload; ``until`` is "queued" or "done"."""
    return f"{until}:{digest}"


def digest(name: str, identity: object) -> str:
    """Return the name of a lock: the same for jobs of one definition that are equal in a JSON value."""
    text = rubyjson.encode([name, _sorted(identity)])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def lock_of(payload: bytes) -> Lock | None:
    """Return the lock that a payload tells of; None if its job is not unique, as nearly all are not."""
    if MARK not in payload:
        return None
    try:
        job = decode(payload)
    except InvalidPayload:
        return None
    found = _FIELD.fullmatch(job.unique or "")
    id = job.id or ""
    return Lock(found[2], id, found[1] == "queued") if found and _ID.fullmatch(id) else None


def place(queue: str) -> str:
    """Return how a lock names a queue."""
    return f"queue:{queue}"


def held(id: str, place: str, text: bytes) -> bytes:
    """Return the value of a lock: who holds it, where, and as which text."""
    where = to_bytes(place)
    return b"%s %d:%s%s" % (to_bytes(id), len(where), where, text)


def holder(value: bytes) -> Holder | None:
    """Read the value of a lock; None for what no script has written."""
    match = _VALUE.match(value)
    if match is None or (end := match.end() + int(match[2])) > len(value):
        return None
    return Holder(to_text(match[1]), to_text(value[match.end() : end]), value[end:])


def _sorted(value: object) -> object:
    """Return a JSON value whose objects have their keys in order, so that equal ones have one text."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_sorted(item) for item in value]
    return value
