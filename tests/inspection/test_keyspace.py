from __future__ import annotations

import pytest

from jobqueue.inspection import keyspace


def test_every_type_is_described(redis):
    redis.set("resque:s", "12345", ex=60)
    redis.rpush("resque:l", "a", "b")
    redis.sadd("resque:set", "a")
    redis.zadd("resque:z", {"a": 1.5})
    redis.hset("resque:h", "f", "v")
    redis.xadd("resque:x", {"f": "v"})
    redis.set("other:s", "not ours")

    page = keyspace.page(0)

    assert [(key.name, key.type, key.size) for key in page.keys] == [
        ("resque:h", "hash", 1),
        ("resque:l", "list", 2),
        ("resque:s", "string", 5),
        ("resque:set", "set", 1),
        ("resque:x", "stream", 1),
        ("resque:z", "zset", 1),
    ]
    assert page.cursor == 0
    assert [key.ttl_seconds is None for key in page.keys] == [True, True, False, True, True, True]


def test_cursors_lead_through_all_keys(redis):
    redis.mset({f"resque:k{n}": n for n in range(3_000)})

    cursor, seen = 0, set()
    while True:
        page = keyspace.page(cursor)
        seen |= {key.name for key in page.keys}
        if not (cursor := page.cursor):
            break

    assert len(seen) == 3_000


def test_a_page_looks_at_a_limited_part_of_a_foreign_database(redis, monkeypatch):
    monkeypatch.setattr(keyspace, "SCAN_COUNT", 10)
    redis.mset({f"other:{n}": n for n in range(1_000)})

    page = keyspace.page(0)

    assert page.keys == []
    assert page.cursor != 0


@pytest.mark.parametrize("holding", ["*", "?", "[ab]", "\\", "a*b", "é", "\n"])
def test_a_part_of_the_name_is_taken_by_the_letter(redis, holding):
    redis.set(f"resque:x{holding}y", "1")
    redis.set("resque:xaby", "2")

    assert [key.name for key in keyspace.page(0, holding).keys] == [f"resque:x{holding}y"]


def test_signs_of_a_pattern_in_the_namespace_are_taken_by_the_letter(redis, settings):
    settings.JOBQUEUE_NAMESPACE = "a*"
    redis.set("a*:mine", "1")
    redis.set("ab:other", "2")

    assert [key.name for key in keyspace.page(0).keys] == ["a*:mine"]


@pytest.mark.parametrize(
    "fill, rows",
    [
        (lambda redis: redis.set("resque:k", b"\x00\xff"), [("", b"\x00\xff")]),
        (lambda redis: redis.rpush("resque:k", "b", "a"), [("0", b"b"), ("1", b"a")]),
        (lambda redis: redis.sadd("resque:k", "b", "a"), [("", b"a"), ("", b"b")]),
        (lambda redis: redis.zadd("resque:k", {"b": 1.5, "a": "inf"}), [("1.5", b"b"), ("inf", b"a")]),
        (lambda redis: redis.hset("resque:k", b"\xff", "v"), [("\udcff", b"v")]),
        (lambda redis: redis.xadd("resque:k", {"f": "v"}, id="1-1"), [("1-1", b"f=v")]),
    ],
)
def test_values_of_every_type_are_shown(redis, fill, rows):
    fill(redis)

    value = keyspace.value("resque:k", 0)

    assert [(row.label, row.value) for row in value.rows] == rows
    assert (value.following, value.complaint) == (None, "")


def all_rows(name: str, size: int) -> list[keyspace.Row]:
    rows, position = [], 0
    while position is not None:
        value = keyspace.value(name, position, size)
        rows += value.rows
        position = value.following
    return rows


@pytest.mark.parametrize(
    "fill",
    [
        lambda redis: redis.rpush("resque:k", *range(1_000)),
        lambda redis: redis.sadd("resque:k", *[f"m{n}" for n in range(1_000)]),
        lambda redis: redis.zadd("resque:k", {f"m{n}": n for n in range(1_000)}),
        lambda redis: redis.hset("resque:k", mapping={f"m{n}": n for n in range(1_000)}),
    ],
)
def test_long_values_come_in_pages(redis, fill):
    fill(redis)

    assert len(keyspace.value("resque:k", 0, 100).rows) < 1_000
    assert len({(row.label, row.value) for row in all_rows("resque:k", 100)}) == 1_000


def test_a_long_string_comes_in_pages(redis):
    text = b"0123456789" * 4_000
    redis.set("resque:k", text)

    rows = all_rows("resque:k", 50)

    assert len(rows) == 3
    assert b"".join(row.value for row in rows) == text


def test_a_long_element_is_cut(redis):
    redis.rpush("resque:k", "x" * 10_000)

    [row] = keyspace.value("resque:k", 0).rows

    assert (len(row.value), row.length, row.is_cut) == (keyspace.ITEM_BYTES, 10_000, True)


@pytest.mark.parametrize("name", ["other:k", "resque", "resquex:k", "", "*", "k"])
def test_keys_outside_the_namespace_are_not_shown(redis, name):
    redis.set(name, "secret")

    assert keyspace.value(name, 0) is None


def test_a_type_that_is_not_known_here_is_said(redis, monkeypatch):
    redis.set("resque:k", "x")
    monkeypatch.setattr(keyspace, "described", lambda names: [keyspace._key(names[0], "vectorset", 1, -1)])

    value = keyspace.value("resque:k", 0)

    assert (value.key.size, value.rows) == (None, [])
    assert value.complaint == "A value of type vectorset cannot be shown."


def test_a_key_that_changes_its_type_meanwhile_is_complained_of(redis, monkeypatch):
    redis.set("resque:k", "x")
    monkeypatch.setattr(keyspace, "described", lambda names: [keyspace._key(names[0], "list", 1, -1)])

    assert keyspace.value("resque:k", 0).complaint.startswith("WRONGTYPE")


def test_a_key_that_is_gone_is_none(redis):
    assert keyspace.value("resque:gone", 0) is None


def test_a_position_past_the_end_shows_nothing(redis):
    redis.rpush("resque:k", "a")

    assert keyspace.value("resque:k", 2**62).rows == []
