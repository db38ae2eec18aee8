from __future__ import annotations

import pytest

from jobqueue.exceptions import RedisUnreachable
from jobqueue.store import queues
from jobqueue.store.pushing import push


def test_a_removed_queue_leaves_nothing_behind(redis):
    push("work", [b"1", b"2"])
    push("mail", [b"3"])
    queues.pause("work")

    queues.remove_queue("work")

    assert redis.smembers("resque:queues") == {b"mail"}
    assert not redis.exists("resque:queue:work", "resque:wake:work", "resque:paused")


def test_a_queue_is_removed_from_a_full_redis(redis):
    push("work", [b"1", b"2"])
    redis.config_set("maxmemory", 1)

    try:
        queues.remove_queue("work")
    finally:
        redis.config_set("maxmemory", 0)

    assert redis.keys("resque:queue*") == []


def test_a_queue_is_removed_whatever_its_keys_are(redis):
    redis.mset({"resque:queues": "x", "resque:paused": "x", "resque:queue:work": "x"})

    queues.remove_queue("work")

    assert not redis.exists("resque:queue:work")


def test_jobs_are_removed_by_their_exact_texts(redis):
    push("work", [b"a", b"b", b"a", b"A", b"c"])

    assert queues.remove_jobs("work", [b"a", b"c", b"nowhere"]) == 3

    assert redis.lrange("resque:queue:work", 0, -1) == [b"b", b"A"]


def test_many_jobs_are_removed_some_at_a_time(redis):
    payloads = [b"%d" % number for number in range(250)]
    push("work", payloads)

    assert queues.remove_jobs("work", payloads) == 250
    assert queues.remove_jobs("work", []) == 0


def test_a_resumed_queue_wakes_a_worker_if_jobs_wait(redis):
    redis.rpush("resque:queue:work", "1")
    queues.pause("work")
    assert redis.smembers("resque:paused") == {b"work"}

    queues.resume("work")

    assert redis.exists("resque:paused") == 0
    assert redis.llen("resque:wake:work") == 1


def test_an_empty_queue_is_resumed_in_silence(redis):
    queues.pause("work")

    queues.resume("work")

    assert redis.keys() == []


@pytest.mark.parametrize(
    ("change", "arguments"),
    [
        (queues.remove_queue, ()),
        (queues.remove_jobs, ([b"1"],)),
        (queues.pause, ()),
        (queues.resume, ()),
    ],
)
def test_a_redis_that_is_away_is_told_in_one_sentence(settings, change, arguments):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1/0"

    with pytest.raises(RedisUnreachable, match=r"^Redis at redis://127\.0\.0\.1:1/0 cannot be reached: "):
        change("work", *arguments)
