from __future__ import annotations

from tests.browser.seeding import seed


def test_everything_is_in_one_look(staff, redis):
    seed(redis)

    text = staff.get("/jobs/").content.decode()

    for part in ("1,281", "2 of 4 workers working", ">30<", "1,204,311", "paused", "webhooks/outgoing"):
        assert part in text


def test_an_empty_site_is_told_what_to_do_next(staff):
    text = staff.get("/jobs/").content.decode()

    assert "call <code>.enqueue()</code>" in text
    assert "python manage.py jobworker" in text


def test_long_lists_are_cut_and_say_so(staff, redis):
    redis.sadd("resque:queues", *range(150))
    redis.sadd("resque:workers", *[f"h:{n}:q" for n in range(60)])

    text = staff.get("/jobs/").content.decode()

    assert "and 50 more queues" in text
    assert "and 10 more workers" in text


def test_it_counts_the_delayed_jobs_as_far_as_that_is_cheap(staff, redis):
    redis.zadd("resque:later", {"a": 1, "b": 2})
    assert "<strong>2</strong> <span>delayed</span>" in staff.get("/jobs/").content.decode()

    redis.zadd("resque:delayed_queue_schedule", {str(time): time for time in range(101)})
    assert "<strong>2<small> or more</small></strong>" in staff.get("/jobs/").content.decode()


def test_a_pause_of_all_workers_is_said(staff, redis):
    redis.set("resque:pause-all-workers", "true")

    assert b"All workers are paused" in staff.get("/jobs/").content
