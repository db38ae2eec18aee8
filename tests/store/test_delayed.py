"""The golden recordings show what Ruby's resque-scheduler leaves after the same operations."""

from __future__ import annotations

import pytest
import redis as redis_client

from jobqueue.exceptions import InvalidPayload
from jobqueue.inspection.delayed import of_time
from jobqueue.store import delayed
from tests.goldenfiles import dump, values

EMAILER = b'{"class":"Emailer","args":["person@example.com","Sample Subject","Hello there"]}'
THUMBNAILER = b'{"class":"Thumbnailer","args":["/photos/1.jpg",640,480]}'
NEWSLETTER = b'{"class":"Newsletter","args":[]}'
AT = 1_900_000_000


def payload(id, **more):
    return f'{{"class":"A","args":[],"id":"{id}"}}'.encode()


def left(redis):
    """Return what stands in Redis beside what only we know."""
    ours = ("resque:sent:", "resque:wake")
    return {key: value for key, value in dump(redis).items() if not key.startswith(ours)}


def later(redis):
    return [(text, int(moment)) for text, moment in redis.zrange("resque:later", 0, -1, withscores=True)]


# Into resque-scheduler's keys


def test_a_bare_job_is_delayed_as_ruby_does_it(redis):
    delayed.delay_bare("emails", [EMAILER], AT * 1000)

    assert left(redis) == values("delayed_enqueue_at")


def test_a_bare_job_is_delayed_for_another_queue_as_ruby_does_it(redis):
    delayed.delay_bare("high", [EMAILER], AT * 1000 + 999)

    assert left(redis) == values("delayed_enqueue_at_with_queue")


def test_equal_jobs_and_several_times_stand_as_ruby_puts_them(redis):
    delayed.delay_bare("emails", [EMAILER, EMAILER], AT * 1000)
    delayed.delay_bare("images", [THUMBNAILER], AT * 1000)
    delayed.delay_bare("emails", [EMAILER], AT * 1000 + 60_000)
    delayed.delay_bare("high", [EMAILER], AT * 1000 + 60_000)
    delayed.delay_bare("emails", [NEWSLETTER], AT * 1000 + 120_000)

    assert left(redis) == values("delayed_several")


# Into our own key


def test_a_job_of_ours_waits_with_its_queue_and_moment(redis):
    delayed.delay("emails", [payload("x"), payload("y")], 1_900_000_000_123)

    assert later(redis) == [
        (b'{"class":"A","args":[],"queue":"emails","id":"x"}', 1_900_000_000_123),
        (b'{"class":"A","args":[],"queue":"emails","id":"y"}', 1_900_000_000_123),
    ]


def test_what_is_no_job_is_not_delayed(redis):
    with pytest.raises(InvalidPayload, match="is no JSON"):
        delayed.delay("emails", [b"{broken"], 1)

    assert redis.keys() == []


def test_many_jobs_are_delayed_a_thousand_at_a_time(redis):
    delayed.delay("emails", [payload(number) for number in range(2001)], 1)

    assert redis.zcard("resque:later") == 2001


@pytest.mark.parametrize("delay", [delayed.delay, delayed.delay_bare])
def test_what_becomes_the_earliest_rings_the_scheduler_and_no_other(redis, delay):
    delay("emails", [EMAILER], AT * 1000)
    assert redis.lpop("resque:wake_scheduler") == b"1"

    delay("emails", [EMAILER], AT * 1000 + 60_000)
    assert redis.exists("resque:wake_scheduler") == 0

    delay("emails", [EMAILER], AT * 1000 - 60_000)
    assert redis.lrange("resque:wake_scheduler", 0, -1) == [b"1"]


@pytest.mark.parametrize("delay", [delayed.delay, delayed.delay_bare])
def test_onto_a_key_of_another_type_nothing_is_written(redis, delay):
    redis.set("resque:later", "no set")
    redis.set(f"resque:delayed:{AT}", "no list")

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE"):
        delay("emails", [EMAILER], AT * 1000)

    assert len(redis.keys()) == 2


@pytest.mark.parametrize("change", [delayed.remove, lambda jobs: delayed.move(jobs, (AT + 1) * 1000)])
def test_among_very_many_jobs_of_one_second_each_is_found_at_once(redis, change):
    texts = [b'{"class":"A","args":[%d],"queue":"work"}' % number for number in range(20_000)]
    redis.rpush(f"resque:delayed:{AT}", *texts)
    redis.zadd("resque:delayed_queue_schedule", {str(AT): AT})
    redis.config_resetstat()
    for _ in range(200):
        redis.lpos(f"resque:delayed:{AT}", "a look through all of them")
    whole = redis.info("commandstats")["cmdstat_lpos"]["usec_per_call"]
    redis.config_resetstat()

    assert change(list(of_time(str(AT), texts[:2000]))) == 2000

    commands = redis.info("commandstats")
    assert commands["cmdstat_lrem"]["usec_per_call"] + commands["cmdstat_lpos"]["usec_per_call"] < whole / 2
