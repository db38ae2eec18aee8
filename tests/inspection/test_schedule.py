from __future__ import annotations

from datetime import UTC, datetime

from jobqueue.inspection import schedule
from jobqueue.inspection.schedule import Fired
from tests.goldenfiles import load


def test_an_empty_redis_knows_nothing(redis):
    assert schedule.state()[0] == ({}, {}, {}, frozenset(), None, ())


def test_what_ruby_left_is_read(redis):
    load(redis, "schedule_dynamic_fired")

    state, _ = schedule.state()

    assert list(state.persistent) == ["send_digest"]
    assert state.last_enqueued == {"send_digest": datetime(2026, 11, 21, 0, 22, 5, tzinfo=UTC)}
    assert state.master == "localhost:28570"


def test_what_is_no_tick_was_long_ago(redis):
    redis.hset(
        "resque:fired", mapping={"a": "5 0 8 * * *", "b": "soon", "c": "", "d": "5", "e": "99999999999999 x"}
    )

    fired = schedule.state()[0].fired

    assert fired.pop("a") == Fired(5, "0 8 * * *")
    assert fired == dict.fromkeys("bcde", Fired(0, ""))


def test_keys_of_another_type_are_told_of(redis):
    redis.set("resque:fired", "5")
    redis.set("resque:persistent_schedules", "{}")

    state, _ = schedule.state()

    assert (state.fired, state.persistent) == ({}, {})
    assert len(state.complaints) == 2
