"""Background values: requests, tickets and results.

One counter numbers requests and runs alike. A run takes its ticket before it reads anything, so a result
with a higher number than a request has seen all that the request was made for, and of two results the
one with the higher ticket is the newer.
"""

from __future__ import annotations

from enum import Enum

from jobqueue.connection import client, keys, reaching
from jobqueue.scripts import load

FORGOTTEN_SECONDS = 24 * 3600
"""How long a forgotten value still answers requests that were made before."""


class Stored(Enum):
    """What became of a result."""

    STORED = 1
    OLDER = 0
    """A newer one stands there and stays."""
    UNKNOWN_TICKET = -1
    """Redis has lost its last moments; compute it again with another ticket."""


def request(name: str) -> int:
    """Return the number of a new request to compute a value. Raises RedisUnreachable, as all of these do."""
    with reaching():
        return int(client().hincrby(keys().value(name), "ticket", 1))


def take(name: str, request: int | None) -> int | None:
    """Return a ticket for a run that begins now; None if its request has been answered already."""
    with reaching():
        ticket = load("value_take")(client(), [keys().value(name)], ["" if request is None else request])
    return None if ticket is None else int(ticket)


def store(name: str, ticket: int, value: str | None) -> Stored:
    """Store a result, a JSON text, unless a newer one stands there; None forgets the value.

    Runs that began before a value was forgotten, or answer requests from before, do not bring it back.
    """
    with reaching():
        answer = load("value_store")(client(), [keys().value(name)], [ticket, value or "", FORGOTTEN_SECONDS])
    return Stored(answer)
