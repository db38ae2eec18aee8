"""Database connections between two jobs, on a database in a file: one in memory is never closed."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, connections, transaction

from jobqueue import databases


@pytest.fixture
def file(tmp_path, django_db_blocker):
    """Yield the alias of a database that keeps its connection between two jobs."""
    given = connections["default"].settings_dict
    connections.settings["file"] = {**given, "NAME": str(tmp_path / "db.sqlite3"), "CONN_MAX_AGE": None}
    with django_db_blocker.unblock():
        yield "file"
        connections["file"].close()
    del connections["file"], connections.settings["file"]


def query(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
    return connections[alias].connection


def raising(error):
    def broken():
        raise error

    return broken


def between_two_jobs():
    """Do what happens after one job and before the next."""
    assert databases.after_job(frozenset()) == []
    assert databases.before_job() == frozenset()


def test_a_connection_is_kept_as_long_as_the_site_says(file):
    used = query(file)

    between_two_jobs()

    assert query(file) is used


def test_a_connection_is_closed_after_a_job_where_the_site_keeps_none(file):
    connections.settings[file]["CONN_MAX_AGE"] = 0
    query(file)

    databases.after_job(frozenset())

    assert connections[file].connection is None


def test_a_connection_is_closed_after_a_job_that_was_interrupted_perhaps_in_a_query(file):
    query(file)

    databases.after_job(frozenset(), was_interrupted=True)

    assert connections[file].connection is None


def test_a_connection_whose_server_went_away_is_replaced_at_the_first_query(file, monkeypatch):
    used = query(file)
    between_two_jobs()
    monkeypatch.setattr(connections[file], "is_usable", lambda: False)

    assert query(file) is not used


def test_queries_that_debugging_keeps_are_dropped(file):
    query(file)
    connections[file].queries_log.append("SELECT 1")

    between_two_jobs()

    assert not connections[file].queries_log


def test_jobs_without_a_database_pay_nothing(monkeypatch):
    monkeypatch.setattr(databases._seen, "may_be_open", False)
    monkeypatch.setattr(databases, "connections", None)

    between_two_jobs()


def test_a_connection_that_a_job_opens_is_noticed(file, monkeypatch):
    monkeypatch.setattr(databases._seen, "may_be_open", False)

    query(file)

    assert databases._seen.may_be_open


def test_a_transaction_of_the_caller_is_left_alone(file):
    with transaction.atomic(using=file):
        query(file)
        outer = databases.before_job()

        assert outer == {file}
        assert databases.after_job(outer) == []
        assert connections[file].in_atomic_block


def test_a_transaction_that_a_job_left_open_is_rolled_back(file):
    query(file)
    with connections[file].cursor() as cursor:
        cursor.execute("CREATE TABLE t (n INTEGER)")
    left = transaction.atomic(using=file)
    left.__enter__()
    transaction.atomic(using=file).__enter__()
    with connections[file].cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
    called = []
    transaction.on_commit(lambda: called.append(1), using=file)

    assert databases.after_job(frozenset()) == [file]

    with transaction.atomic(using=file), connections[file].cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM t")
        assert cursor.fetchone() == (0,)
    assert not connections[file].in_atomic_block
    assert called == []


@pytest.mark.parametrize("broken", ["rollback", "close_if_unusable_or_obsolete"])
def test_a_connection_that_cannot_even_be_closed_is_given_up(file, monkeypatch, caplog, broken):
    query(file)
    given_up = connections[file]
    monkeypatch.setattr(given_up, broken, raising(InterfaceError("gone")))
    if broken == "rollback":
        transaction.atomic(using=file).__enter__()

    databases.after_job(frozenset())

    assert "database connection given up alias=file" in caplog.messages
    assert connections[file] is not given_up
    given_up.connection.close()


def test_a_connection_that_a_test_forbids_is_left_alone(file, monkeypatch, caplog):
    query(file)
    kept = connections[file]
    monkeypatch.setattr(kept, "ensure_connection", raising(RuntimeError("not allowed in this test")))

    databases.after_job(frozenset())

    assert "database connection not checked alias=file" in caplog.messages
    assert connections[file] is kept
