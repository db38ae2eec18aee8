"""The witness sees a job that stands in two places."""

from __future__ import annotations

import pytest
import redis as redis_client

from tests.chaos.witness import Witness


def payload(number: int) -> bytes:
    return b'{"class":"work","args":["p0-%d"],"id":"id-%d"}' % (number, number)


def test_jobs_that_stand_in_one_place_each_are_well(redis: redis_client.Redis):
    redis.rpush("resque:queue:quick", payload(1), payload(2))
    redis.rpush("resque:queue:slow", payload(3))
    redis.hset("resque:inflight:run", mapping={"worker": "host:1:quick", "1": b"1:5:quick" + payload(4)})
    redis.zadd("resque:later", {payload(5): 1})
    witness = Witness(redis)
    witness.look()

    assert (witness.looks, witness.doubles) == (1, {})


@pytest.mark.parametrize(
    "place", ["resque:queue:quick", "resque:queue:slow", "resque:inflight:run", "resque:later"]
)
def test_a_job_that_stands_in_two_places_is_seen(redis: redis_client.Redis, place: str):
    redis.rpush("resque:queue:quick", payload(1), payload(2))
    if "inflight" in place:
        redis.hset(place, "1", b"1:5:quick" + payload(1))
    elif "later" in place:
        redis.zadd(place, {b'{"queue":"quick",' + payload(1)[1:]: 1})
    else:
        redis.rpush(place, payload(1))
    witness = Witness(redis)
    witness.look()

    assert list(witness.doubles) == [b"id-1"]
