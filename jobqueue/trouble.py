"""What an error of redis-py tells of the server: pure questions, since redis-py sorts them otherwise."""

from __future__ import annotations

import re

import redis
from redis.sentinel import MasterNotFoundError

CLOSED = re.compile(r"\b(?:NOREPLICAS|MISCONF|MASTERDOWN) ")
"""Too few replicas, a disk that cannot be written to, a replica without its master."""
IN_SCRIPT = re.compile(r"^Error running script .*: -|\.? script: [0-9a-f]{40}, on @user_script.*$")
"""What Redis 6 puts before a refusal and Redis 7 behind it, if a script met it."""


def is_demoted(error: BaseException) -> bool:
    """Tell whether a server says that it is a replica now; a new connection may lead to its master.

    Redis 6 says it of a script in the midst of a sentence.
    """
    return isinstance(error, redis.ReadOnlyError) or "-READONLY " in str(error)


def is_closed(error: BaseException) -> bool:
    """Tell whether a server takes no writes at all for now, whatever is written."""
    return is_demoted(error) or CLOSED.search(str(error)) is not None


def is_full(error: BaseException) -> bool:
    """Tell whether a server has no memory left for what it was asked to keep."""
    return isinstance(error, redis.OutOfMemoryError) or "OOM command not allowed" in str(error)


def kind_of(error: BaseException) -> str:
    """Return the kind of trouble that an error tells of; one kind is worth one line of a log."""
    if isinstance(error, redis.BusyLoadingError):
        return "loading"
    if isinstance(error, redis.AuthenticationError):
        return "login"
    if is_demoted(error):
        return "demoted"
    if is_full(error):
        return "full"
    return "refused" if isinstance(error, redis.ResponseError) else "away"


def may_have_arrived(error: BaseException) -> bool:
    """Tell whether a server may have done what it was asked, in this attempt or in one before."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError) and not _is_refusal(error):
        return True
    return error.__context__ is not None and may_have_arrived(error.__context__)


def _is_refusal(error: Exception) -> bool:
    """Tell whether nothing was sent, or what was sent was not done; redis-py says it in words alone."""
    refusals = (redis.BusyLoadingError, redis.AuthenticationError, MasterNotFoundError)
    return isinstance(error, refusals) or " connecting to " in str(error)


def reason(error: BaseException) -> str:
    """Return what the operating system said, else what redis-py says, without its host and numbers."""
    if isinstance(error, redis.TimeoutError):
        return "it gives no answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__context__
    return IN_SCRIPT.sub("", str(error)).strip(" .")
