from __future__ import annotations

import pytest

from jobqueue.inspection.stats import RedisInfo
from jobqueue.views.stats import warnings
from tests.goldenfiles import load


def test_totals_are_shown(staff, redis):
    redis.set("resque:stat:processed", 12_345)

    assert b"12,345" in staff.get("/jobs/stats/").content


def test_the_text_for_monitors_is_resque_webs(staff, redis):
    load(redis, "worker_after_failure")
    redis.rpush("resque:queue:emails", "a")

    response = staff.get("/jobs/stats.txt")

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().splitlines() == [
        "resque.pending=1",
        "resque.processed+=2",
        "resque.failed+=1",
        "resque.workers=1",
        "resque.working=0",
        "queues.emails=1",
        "queues.reports=0",
    ]


def test_redis_tells_of_itself(staff):
    text = staff.get("/jobs/stats/redis/").content.decode()

    assert "used memory" in text
    assert "appendonly is off" in text


def test_settings_that_lose_jobs_are_said(staff, redis):
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert b"maxmemory-policy is allkeys-lru" in staff.get("/jobs/stats/redis/").content
    finally:
        redis.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    "figures, said",
    [
        ({"aof_enabled": "1", "rdb_last_bgsave_status": "ok", "maxmemory_policy": "noeviction"}, []),
        ({"rdb_last_bgsave_status": "err"}, ["The last snapshot could not be written."]),
        ({"role": "slave"}, ["This Redis is a replica: it cannot be written to."]),
        ({}, []),
    ],
)
def test_what_could_lose_jobs_is_warned_of(figures, said):
    assert warnings(RedisInfo(sections={"Any": figures}, complaints=[])) == said


def test_keys_are_listed_and_lead_to_their_values(staff, redis):
    redis.rpush("resque:queue:a b", "<script>alert(1)</script>")

    assert b'href="/jobs/stats/keys/resque:queue:a~20b/"' in staff.get("/jobs/stats/keys/").content
    text = staff.get("/jobs/stats/keys/resque:queue:a~20b/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_keys_are_looked_for(staff, redis):
    redis.mset({"resque:one": 1, "resque:two": 2})

    text = staff.get("/jobs/stats/keys/?holding=tw").content.decode()

    assert "resque:two" in text and "resque:one" not in text


def test_no_keys_are_said(staff, redis):
    assert b"No keys yet" in staff.get("/jobs/stats/keys/").content
    assert "No key with “zz”" in staff.get("/jobs/stats/keys/?holding=zz").content.decode()


def test_many_keys_are_looked_through_step_by_step(staff, redis):
    redis.mset({f"resque:{n}": n for n in range(2_000)})

    first = staff.get("/jobs/stats/keys/")
    second = staff.get("/jobs/stats/keys/", {"cursor": first.context["seen"].cursor})

    assert b"Look on" in first.content
    assert b"From the beginning" in second.content


@pytest.mark.parametrize("key", ["other:secret", "resque:none", "other:resque:x"])
def test_a_key_that_is_not_ours_or_gone_is_not_found(staff, redis, key):
    redis.set("other:secret", "secret")

    response = staff.get(f"/jobs/stats/keys/{key}/")

    assert response.status_code == 404
    assert b"There is no key" in response.content


def test_a_long_value_is_turned_over(staff, redis):
    redis.rpush("resque:k", *[f"v{n}!" for n in range(120)])

    text = staff.get("/jobs/stats/keys/resque:k/?position=50").content.decode()

    assert "v50!" in text and "v49!" not in text
    assert 'href="?position=100"' in text


@pytest.mark.parametrize("query", ["cursor=x", "cursor=-1", "cursor=" + "9" * 40, "holding=%00%ff"])
def test_an_address_without_sense_is_the_first_page(staff, query):
    assert staff.get(f"/jobs/stats/keys/?{query}").status_code == 200


@pytest.mark.parametrize("position", ["x", "-5", "9" * 40, str(2**62)])
def test_a_position_without_sense_does_no_harm(staff, redis, position):
    redis.rpush("resque:l", "a")
    redis.set("resque:s", "a")
    redis.hset("resque:h", "a", "b")

    for key in "lsh":
        assert staff.get(f"/jobs/stats/keys/resque:{key}/?position={position}").status_code == 200


def test_a_queues_name_cannot_forge_a_line_for_monitors(staff, redis):
    redis.sadd("resque:queues", "q=9\nresque.failed+")

    assert r"queues.q=9\x0aresque.failed+=0" in staff.get("/jobs/stats.txt").content.decode().splitlines()
