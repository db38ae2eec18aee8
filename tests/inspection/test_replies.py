from __future__ import annotations

import pytest
from redis.client import Pipeline
from redis.exceptions import BusyLoadingError, ResponseError

from jobqueue.exceptions import RedisUnreachable
from jobqueue.inspection.replies import ask, fetch, number, or_else, reason


def test_the_error_of_one_command_stands_in_its_place(redis):
    redis.set("resque:s", "x")

    first, second = fetch([("LLEN", "resque:s"), ("GET", "resque:s")])

    assert isinstance(first, ResponseError)
    assert second == b"x"


@pytest.mark.parametrize("atomic", [True, False])
def test_a_full_redis_is_read_too(redis, atomic):
    redis.set("resque:s", "x")
    redis.config_set("maxmemory", 1)

    try:
        assert fetch([("GET", "resque:s"), ("DBSIZE",)], atomic=atomic) == [b"x", 1]
    finally:
        redis.config_set("maxmemory", 0)


@pytest.mark.parametrize("atomic", [True, False])
def test_nothing_asked_is_nothing_sent(atomic):
    assert fetch([], atomic=atomic) == []


@pytest.mark.parametrize("read", [lambda: fetch([("PING",)]), lambda: ask("PING")])
def test_a_redis_that_is_away_is_said_in_one_sentence(monkeypatch, read):
    monkeypatch.setenv("REDIS_URL", "redis://user:secret@127.0.0.1:1/0")

    with pytest.raises(RedisUnreachable, match="cannot be reached") as error:
        read()

    assert "secret" not in str(error.value)


def test_a_redis_that_still_loads_is_away_too(redis, monkeypatch):
    loading = BusyLoadingError("LOADING Redis is loading the dataset in memory")
    monkeypatch.setattr(Pipeline, "execute", lambda *args, **kwargs: [loading])

    with pytest.raises(RedisUnreachable, match="is still loading its data"):
        fetch([("PING",)])


def test_an_error_is_a_line_of_complaint():
    complaints: list[str] = []

    assert or_else([], ResponseError("NOPERM no"), "resque:queues", complaints) == []
    assert complaints == ["resque:queues cannot be read: NOPERM no."]


def test_an_absent_value_is_the_default_without_complaint():
    complaints: list[str] = []

    assert (or_else(3, None, "k", complaints), number(None, "k", complaints)) == (3, 0)
    assert complaints == []


@pytest.mark.parametrize("value", [b"", b"x", b"1.5", b"\xff", b"9" * 5_000])
def test_a_counter_that_is_no_number_is_complained_of(value):
    complaints: list[str] = []

    assert number(value, "stat:processed", complaints) == 0
    assert complaints[0].startswith("stat:processed is no number: b'")
    assert len(complaints[0]) < 100


def test_a_wrong_type_is_said_in_words():
    assert (
        reason(ResponseError("WRONGTYPE Operation …")) == "it holds another type of value than belongs there"
    )
