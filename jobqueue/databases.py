"""What jobs ask of Django's database connections: when a transaction commits, and a clean start each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from jobqueue.exceptions import JobQueueError

_log = logging.getLogger("jobqueue")

_NONE: frozenset[str] = frozenset()


_users: set[int] = set()
"""The threads that have ever opened a connection."""


class _Seen(threading.local):
    may_be_open = True
    """A connection of this thread may be open; as long as none is, jobs pay nothing for the checks."""


_seen = _Seen()


@receiver(connection_created)
def _remember(**_: Any) -> None:
    _seen.may_be_open = True
    _users.add(threading.get_ident())


def are_used_elsewhere() -> bool:
    """Tell whether a thread other than this one has ever opened a connection."""
    return bool(_users - {threading.get_ident()})


def in_transaction(using: str) -> bool:
    """Tell whether work for a database has to wait for a commit. Never opens a connection.

    Raises TransactionManagementError where the site manages transactions by hand: Django has no
    moment of commit to offer then.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        return True
    if connection.connection is not None and not connection.autocommit:
        connection.on_commit(_never)
    return False


def on_commit(call: Callable[[], Any], using: str) -> None:
    """Have ``call`` run when the transaction under way commits; what it raises stops no other."""

    # A function, for what Django logs of an error, the name, is nothing that a partial has
    def after_commit() -> None:
        call()

    connections[using].on_commit(after_commit, robust=True)


def before_job() -> frozenset[str]:
    """Check the connections that are there; return the databases whose transaction is the caller's."""
    if not _seen.may_be_open:
        return _NONE
    outer = set()
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            outer.add(connection.alias)
        else:
            _refresh(connection)
    return frozenset(outer)


def after_job(outer: frozenset[str], *, was_interrupted: bool = False) -> list[str]:
    """Check the connections again; return the databases where the job left a transaction open.

    Such a transaction is rolled back: the next job must not run in it. A job that was interrupted may have
    been in the middle of a query, so its connections are closed.
    """
    if not _seen.may_be_open:
        return []
    found = [each for each in connections.all(initialized_only=True) if each.alias not in outer]
    left_open = [connection for connection in found if connection.in_atomic_block]
    for connection in found:
        if connection.in_atomic_block:
            _abandon(connection)
        elif was_interrupted:
            with _giving_up(connection):
                connection.close()
        else:
            _refresh(connection)
    _seen.may_be_open = bool(outer) or any(connection.connection for connection in found)
    return [connection.alias for connection in left_open]


def left_open_error(name: str, aliases: Sequence[str]) -> JobQueueError:
    """Return the failure of a job that left transactions open on databases."""
    return JobQueueError(
        f"{name} left a transaction open on the database {aliases[0]!r}, which was rolled back. "
        "Leave every transaction.atomic() block that a job enters."
    )


def _never() -> None:
    """Stand for a call where Django is only asked whether it would take one."""


def _refresh(connection: BaseDatabaseWrapper) -> None:
    """Treat a connection as Django does between two requests.

    A worker may have been idle for hours, so the first query of each job always looks whether the
    server is still there, whatever CONN_HEALTH_CHECKS says.
    """
    with _giving_up(connection):
        connection.queries_log.clear()
        connection.close_if_unusable_or_obsolete()
        connection.health_check_enabled = True  # type: ignore[attr-defined]  # unknown to the stubs


def _abandon(connection: BaseDatabaseWrapper) -> None:
    """Roll back a transaction whose blocks nobody is going to leave any more."""
    connection.in_atomic_block = False
    connection.needs_rollback = False
    connection.savepoint_ids = []
    connection.atomic_blocks = []
    with _giving_up(connection):
        connection.rollback()
        connection.set_autocommit(connection.settings_dict["AUTOCOMMIT"])
        connection.close()


@contextmanager
def _giving_up(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Forget a connection that cannot even be closed, so that the next use makes a new one."""
    try:
        yield
    except Error:
        _log.warning("database connection given up alias=%s", connection.alias, exc_info=True)
        del connections[connection.alias]
    except Exception:
        # Not the database's word: a test may forbid any use of it, or a backend be at fault
        _log.warning("database connection not checked alias=%s", connection.alias, exc_info=True)
