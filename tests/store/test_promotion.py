"""Due jobs go to their queues; the golden recordings show what Ruby's scheduler leaves."""

from __future__ import annotations

import json
import threading

import pytest

from jobqueue.link import Link
from jobqueue.store import delayed, promotion
from jobqueue.store.promotion import Batch, promote, promote_bare
from tests.goldenfiles import dump, load, values

NOW = 1_900_000_000_000
LOCK = "resque:resque:resque_scheduler_master_lock"


def payload(id, name="A"):
    return f'{{"class":"{name}","args":[],"id":"{id}"}}'.encode()


def waiting(redis, queue="work"):
    return redis.lrange(f"resque:queue:{queue}", 0, -1)


def failures(redis):
    return [json.loads(entry) for entry in redis.lrange("resque:failed", 0, -1)]


def bare(redis, *ids, queue="work", at=NOW):
    delayed.delay_bare(queue, [payload(id) for id in ids], at)


# Ours


def test_due_jobs_go_to_their_queues_oldest_first(redis, link):
    delayed.delay("work", [payload("late")], NOW + 1)
    delayed.delay("work", [payload("second")], NOW)
    delayed.delay("other", [payload("alone")], NOW)
    delayed.delay("work", [payload("first", "Z")], NOW - 1)

    assert promote(link, NOW).promoted == 3

    assert waiting(redis) == [payload("first", "Z"), payload("second")]
    assert waiting(redis, "other") == [payload("alone")]
    assert redis.smembers("resque:queues") == {b"work", b"other"}
    assert redis.zcard("resque:later") == 1


def test_jobs_of_one_moment_go_in_the_order_in_which_they_were_made(redis, link):
    delayed.delay("work", [payload("1", "Z"), payload("2", "A"), payload("3", "M")], NOW)

    promote(link, NOW)

    assert waiting(redis) == [payload("1", "Z"), payload("2", "A"), payload("3", "M")]


def test_workers_are_woken_and_told_of_new_queues(redis, link):
    delayed.delay("work", [payload("x")], NOW)

    promote(link, NOW)

    assert redis.llen("resque:wake:work") == redis.llen("resque:wake") == 1


def test_a_batch_takes_no_more_than_it_was_told(redis, link):
    delayed.delay("work", [payload(number) for number in range(5)], NOW)

    assert promote(link, NOW, 3) == Batch(3, 3 * len(payload(1)) + 3 * len(b'"queue":"work",'), True)
    assert promote(link, NOW, 3).promoted == 2
    assert promote(link, NOW, 3) == Batch()


def test_several_schedulers_promote_each_job_once(redis):
    delayed.delay("work", [payload(number) for number in range(1000)], NOW)
    counts = []

    def promote_all():
        link = Link()
        while (batch := promote(link, NOW, 50)).goes_on:
            counts.append(batch.promoted)
        link.close()

    threads = [threading.Thread(target=promote_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 1000
    assert len(set(waiting(redis))) == redis.llen("resque:queue:work") == 1000


def test_a_job_that_was_put_off_meanwhile_stays(redis, link, monkeypatch):
    delayed.delay("work", [payload("x")], NOW)
    run = link.run

    def put_off_and_run(call):
        delayed.delay("work", [payload("x")], NOW + 1000)
        return run(call)

    monkeypatch.setattr(link, "run", put_off_and_run)

    assert promote(link, NOW).promoted == 0
    assert redis.zcard("resque:later") == 1


@pytest.mark.parametrize("text", [b"{broken", b'{"class":"A","args":[]}', b"\xff"])
def test_what_names_no_queue_becomes_a_failure(redis, link, text):
    redis.zadd("resque:later", {text: NOW})
    delayed.delay("work", [payload("x")], NOW)

    assert promote(link, NOW).promoted == 2

    [failed] = failures(redis)
    assert failed["exception"] == "jobqueue.exceptions.InvalidPayload"
    assert failed["worker"].endswith(":scheduler")
    assert waiting(redis) == [payload("x")]
    assert redis.exists("resque:later") == 0


def test_a_job_whose_queue_cannot_take_it_becomes_a_failure(redis, link):
    redis.set("resque:queue:odd", "no list")
    delayed.delay("odd", [payload("x")], NOW)
    delayed.delay("work", [payload("y")], NOW)

    assert promote(link, NOW).promoted == 2

    [failed] = failures(redis)
    assert (failed["payload"], failed["queue"]) == (json.loads(payload("x")), "odd")
    assert "another type of value" in failed["error"]
    assert waiting(redis) == [payload("y")]


def test_a_job_that_can_go_nowhere_stays(redis, link):
    redis.set("resque:queue:odd", "no list")
    redis.set("resque:failed", "no list")
    delayed.delay("odd", [payload("x")], NOW)
    delayed.delay("work", [payload("y")], NOW)

    batch = promote(link, NOW)

    assert (batch.promoted, batch.goes_on) == (1, False)
    assert redis.zcard("resque:later") == 1


def test_promotion_works_in_a_full_redis(redis_factory, monkeypatch):
    server = redis_factory("--maxmemory-policy", "noeviction")
    monkeypatch.setenv("REDIS_URL", server.url)
    link = Link()
    with server.client() as redis:
        delayed.delay("work", [payload("x"), payload("y")], NOW)
        bare(redis, "z")
        redis.config_set("maxmemory", 1)

        assert promote(link, NOW).promoted == 2
        assert promote_bare(link, NOW).promoted == 1
    link.close()


def test_large_jobs_are_brought_by_several_scripts_so_that_none_takes_long(redis, link, monkeypatch):
    monkeypatch.setattr(promotion, "SCRIPT_BYTES", 200)
    jobs = [payload(f"{number:02}") for number in range(10)]
    delayed.delay("work", jobs, NOW)
    run, sizes = link.run, []

    def run_and_note(call):
        sizes.append(sum(text in call.args for text in jobs))
        return run(call)

    monkeypatch.setattr(link, "run", run_and_note)

    assert promote(link, NOW).promoted == 10
    assert waiting(redis) == jobs
    assert sizes == [4, 4, 2]


def test_a_job_that_stays_keeps_none_of_another_script_waiting(redis, link, monkeypatch):
    monkeypatch.setattr(promotion, "SCRIPT_BYTES", 1)
    redis.set("resque:queue:odd", "no list")
    redis.set("resque:failed", "no list")
    delayed.delay("odd", [payload("1")], NOW - 1)
    delayed.delay("work", [payload("2")], NOW)

    assert promote(link, NOW).promoted == 1
    assert waiting(redis) == [payload("2")]


@pytest.mark.parametrize(
    "batch, before, after",
    [
        (Batch(10, 1000, True), 20, 40),
        (Batch(10, 1000, True), 400, 500),
        (Batch(10, 3_000_000, True), 40, 20),
        (Batch(1, 3_000_000, True), 1, 1),
        (Batch(1, 1000, True), 1, 5),
    ],
)
def test_batches_grow_until_they_are_large(batch, before, after):
    assert batch.next_most(before) == after


# In resque-scheduler's keys


def test_due_jobs_of_ruby_are_moved_as_ruby_does_it(redis, link):
    load(redis, "delayed_due_before_scheduler")

    assert promote_bare(link, NOW - 1).promoted == 2

    left = {key: value for key, value in dump(redis).items() if not key.startswith("resque:wake")}
    expected = values("delayed_due_moved_by_scheduler")
    del expected[LOCK]
    assert left == expected


def test_batches_of_one_time_follow_each_other(redis, link):
    bare(redis, *range(5))

    assert [promote_bare(link, NOW, 2).promoted for _ in range(3)] == [2, 2, 1]

    assert waiting(redis) == [payload(number) for number in range(5)]
    assert redis.keys("resque:*delayed*") == redis.keys("resque:timestamps:*") == []


def test_two_equal_jobs_at_one_moment_stay_two(redis, link):
    bare(redis, "x", "x")
    bare(redis, "x", at=NOW + 1000)

    assert promote_bare(link, NOW, 1).promoted == 1
    [index] = redis.keys("resque:timestamps:*")
    assert redis.smembers(index) == {b"delayed:1900000000", b"delayed:1900000001"}

    assert promote_bare(link, NOW, 1).promoted == 1
    assert redis.smembers(index) == {b"delayed:1900000001"}
    assert waiting(redis) == [payload("x")] * 2


def test_a_time_without_jobs_is_cleared_away(redis, link):
    redis.zadd("resque:delayed_queue_schedule", {"1800000000": 1_800_000_000})
    bare(redis, "x")

    assert promote_bare(link, NOW) == Batch(goes_on=True)
    assert promote_bare(link, NOW).promoted == 1
    assert not promote_bare(link, NOW).goes_on


def test_what_ruby_wrote_without_a_queue_becomes_a_failure(redis, link):
    redis.rpush("resque:delayed:1800000000", '{"class":"A","args":[]}', "{broken")
    redis.zadd("resque:delayed_queue_schedule", {"1800000000": 1_800_000_000})

    assert promote_bare(link, NOW).promoted == 2

    assert [failed["payload"]["class"] for failed in failures(redis)] == ["A", None]


# Ruby's lock


def test_nothing_of_rubys_is_promoted_while_a_scheduler_of_ruby_is_the_master(redis, link):
    bare(redis, "x")
    redis.set(LOCK, "host:1", ex=180)

    assert promote_bare(link, NOW) == Batch()

    assert redis.get(LOCK) == b"host:1"
    assert 170 < redis.ttl(LOCK) <= 180
    assert waiting(redis) == []


def test_a_lock_that_is_taken_in_the_middle_is_respected(redis, link, monkeypatch):
    bare(redis, "x")
    run = link.run

    def lock_and_run(call):
        redis.set(LOCK, "host:1")
        return run(call)

    monkeypatch.setattr(link, "run", lock_and_run)

    assert promote_bare(link, NOW) == Batch(size_bytes=len(payload("x")) + len(b'"queue":"work",'))
    assert redis.llen("resque:delayed:1900000000") == 1


def test_after_the_lock_has_expired_jobs_are_promoted(redis, link):
    bare(redis, "x")
    redis.set(LOCK, "host:1", px=1)
    while redis.exists(LOCK):
        pass

    assert promote_bare(link, NOW).promoted == 1


def test_a_promotion_leaves_no_lock_so_that_a_scheduler_of_ruby_is_never_silenced(redis, link):
    bare(redis, "x")

    promote_bare(link, NOW)

    assert redis.exists(LOCK) == 0


def test_ours_are_promoted_whoever_is_the_master(redis, link):
    delayed.delay("work", [payload("x")], NOW)
    redis.set(LOCK, "host:1")

    assert promote(link, NOW).promoted == 1


@pytest.mark.parametrize("recording", ["scheduler_running", "scheduler_killed", "scheduler_stopped"])
def test_the_master_is_who_ruby_says(redis, link, recording):
    load(redis, recording)

    assert promotion.is_ruby_master(link) == (recording != "scheduler_stopped")


@pytest.mark.parametrize("way", ["setting", "environment"])
def test_rubys_lock_is_known_with_its_prefix(redis, link, settings, monkeypatch, way):
    if way == "setting":
        settings.JOBQUEUE_MASTER_LOCK_PREFIX = "MyApp"
    else:
        monkeypatch.setenv("RESQUE_SCHEDULER_MASTER_LOCK_PREFIX", "MyApp")
    load(redis, "scheduler_running_lock_prefix")

    assert promotion.is_ruby_master(link)


# Looking


def test_the_next_moments_are_told(redis, link):
    assert promotion.next_moment_ms(link) is promotion.next_bare_moment_ms(link) is None

    delayed.delay("work", [payload("x")], NOW + 123)
    bare(redis, "y", at=NOW + 999)

    assert promotion.next_moment_ms(link) == NOW + 123
    assert promotion.next_bare_moment_ms(link) == NOW
