"""One round trip of reads, where whatever stands in Redis may be of the wrong type or broken.

An error of one command stands in the place of its reply; ``or_else`` turns it into a line of complaint
that the page shows, so that one damaged key never hides the others.

Names of commands are sent as bytes too: redis-py knows them by their text and would reshape the replies, in
each of its versions a little differently. Here a reply is what Redis sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.exceptions import OutOfMemoryError, ResponseError

from jobqueue.connection import client, reaching
from jobqueue.keys import to_bytes


def fetch(commands: Sequence[tuple[Any, ...]], *, atomic: bool = False) -> list[Any]:
    """Send every command in one round trip; the error of a command stands in the place of its reply.

    ``atomic`` sees one moment of Redis, if that has memory left. Raises RedisUnreachable.
    """
    if not commands:
        return []
    with reaching(), client().pipeline(transaction=atomic) as pipe:
        for command in commands:
            pipe.execute_command(*(to_bytes(part) for part in command))
        try:
            replies = pipe.execute(raise_on_error=False)
        except OutOfMemoryError:
            # A full Redis refuses transactions, even of reads, when there is most to look at
            return fetch(commands)
        for reply in replies:
            if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
                raise reply
        return replies


def ask(*command: Any) -> Any:
    """Send one command and return its reply. Raises RedisUnreachable, and ResponseError."""
    with reaching():
        return client().execute_command(*(to_bytes(part) for part in command))


def or_else(default: Any, reply: Any, key: str, complaints: list[str]) -> Any:
    """Return a reply; if it is an error or absent return ``default``, an error with one line of complaint."""
    if isinstance(reply, ResponseError):
        complaints.append(f"{key} cannot be read: {reason(reply)}.")
        return default
    return default if reply is None else reply


def number(reply: Any, key: str, complaints: list[str]) -> int:
    """Return a counter's value; what is no number counts as 0, with one line of complaint."""
    value = or_else(b"0", reply, key, complaints)
    try:
        return int(value)
    except ValueError:
        complaints.append(f"{key} is no number: {value[:40]!r}.")
        return 0


def reason(error: ResponseError) -> str:
    """Say why a key could not be read, without the words of the Redis protocol where that is possible."""
    if str(error).startswith("WRONGTYPE"):
        return "it holds another type of value than belongs there"
    return str(error)
