from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobqueue import ids, payload

MOMENT_NS = 1_795_219_269_123_456_789


def test_an_id_is_short_and_safe_in_a_url():
    assert re.fullmatch(r"[-0-9A-Z_a-z]{22}", ids.new_id())


def test_an_id_tells_when_it_was_made():
    before = datetime.now(UTC) - timedelta(microseconds=1)

    moment = ids.enqueued_at(ids.new_id())

    assert before <= moment <= datetime.now(UTC)


def test_an_id_tells_the_microsecond(monkeypatch):
    monkeypatch.setattr(ids.time, "time_ns", lambda: MOMENT_NS)

    assert ids.enqueued_at(ids.new_id()) == datetime(2026, 11, 21, 0, 1, 9, 123456, tzinfo=UTC)


@given(st.lists(st.integers(0, 2**54 - 1), min_size=2, unique=True))
def test_ids_sort_like_their_moments(moments):
    with pytest.MonkeyPatch.context() as patch:
        made = []
        for moment in sorted(moments):
            patch.setattr(ids.time, "time_ns", lambda moment=moment: moment * 1000)
            made.append(ids.new_id())

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_one_microsecond_differ_by_chance(monkeypatch):
    monkeypatch.setattr(ids.time, "time_ns", lambda: MOMENT_NS)

    made = {ids.new_id() for _ in range(3000)}

    assert len(made) == 3000
    assert len({id[:9] for id in made}) == 1
    # Each of the thirteen characters of chance varies
    assert all(len({id[place] for id in made}) == 64 for place in range(9, 22))


@pytest.mark.parametrize("drawn", [1, 7, 1000])
def test_ids_of_many_jobs_are_like_those_of_one(monkeypatch, drawn):
    monkeypatch.setattr(ids, "_DRAWN_AT_ONCE", drawn)

    made = [ids.new_id(), *islice(ids.new_ids(), 3000), ids.new_id()]

    moments = [ids.enqueued_at(id) for id in made]
    assert moments == sorted(moments)
    assert len({id[9:] for id in made}) == 3002
    assert all(len({id[place] for id in made}) == 64 for place in range(9, 22))


def test_no_id_begins_like_an_option_of_a_command():
    assert ids.new_id()[0] not in "-_"


@pytest.mark.parametrize(
    "id",
    [
        "",
        "short",
        "x" * 23,
        "5NAz7_aGhIJkdPv2jIMJO+",
        "5NAz7 aGhIJkdPv2jIMJOj",
        "5NAz7éaGhIJkdPv2jIMJOj",
        "٣NAz7_aGhIJkdPv2jIMJOj",
        "c56f9ec4-1e0c-4b4c-9cf4-7a1f7d2c3b11",
    ],
)
def test_a_strange_id_tells_no_moment(id):
    assert ids.enqueued_at(id) is None


def test_the_last_id_still_tells_its_moment():
    assert ids.enqueued_at("z" * 22).year == 2540


def test_making_an_id_is_cheap():
    best = min(_seconds(ids.new_id, 200) for _ in range(20))

    assert best / 200 < 20e-6


def test_our_fields_cost_at_most_45_bytes():
    bare = payload.encode(payload.Job("blog.jobs.notify", [1]))
    enqueued = payload.encode(payload.Job("blog.jobs.notify", [1], id=ids.new_id()))
    crashed = payload.with_crashes(enqueued, 999)

    assert len(enqueued) - len(bare) == 30
    assert len(crashed) - len(bare) <= 45


def _seconds(call, times):
    start = time.perf_counter()
    for _ in range(times):
        call()
    return time.perf_counter() - start
