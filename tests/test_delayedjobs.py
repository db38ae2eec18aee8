"""What resque-scheduler can do to delayed jobs, on ours and on Ruby's; the golden recordings are Ruby's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

import jobqueue
from jobqueue import delayed_jobs, delayedjobs, payload
from jobqueue.exceptions import InvalidArguments, RedisUnreachable
from jobqueue.store import delayed as store
from jobqueue.testing import capture_jobs
from tests.goldenfiles import dump, load, values
from tests.sample import jobs

AT = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)
NEWSLETTER = '{"class":"Newsletter","args":[],"queue":"emails"}'
EMAIL = ("person@example.com", "Sample Subject", "Hello there")
SECOND = timedelta(seconds=1)


def left(redis):
    """Return what stands in Redis beside what only we know."""
    ours = ("resque:sent:", "resque:wake")
    return {key: value for key, value in dump(redis).items() if not key.startswith(ours)}


def waiting(redis, queue="default"):
    return [payload.decode(text).args for text in redis.lrange(f"resque:queue:{queue}", 0, -1)]


@pytest.fixture
def several(redis):
    """Delay jobs of both kinds: three of ours, and Ruby's of the recording."""
    load(redis, "delayed_several")
    for number, seconds in ((3, 3), (1, 1), (2, 2)):
        jobs.record.enqueue_at(AT + seconds * SECOND, number)


# As Ruby leaves it


def test_removing_leaves_what_ruby_leaves(redis):
    load(redis, "delayed_several")

    assert delayed_jobs(jobs.emailer).having(*EMAIL).in_queue("emails").remove() == 3

    assert left(redis) == values("delayed_removed")


def test_removing_in_another_queue_leaves_what_ruby_leaves(redis):
    load(redis, "delayed_several")

    assert delayed_jobs("Emailer").having(*EMAIL).in_queue("high").remove() == 1

    assert left(redis) == values("delayed_removed_in_queue")


def test_removing_from_one_time_leaves_what_ruby_leaves(redis):
    load(redis, "delayed_several")
    redis.delete("resque:delayed:1900000120", f"resque:timestamps:{NEWSLETTER}")
    redis.zrem("resque:delayed_queue_schedule", "1900000120")

    assert delayed_jobs("Emailer").having(*EMAIL).due_at(AT).remove() == 2

    assert left(redis) == values("delayed_removed_from_timestamp")


def test_removing_by_a_predicate_leaves_what_ruby_leaves(redis):
    load(redis, "delayed_several")

    assert delayed_jobs().where(lambda job: 640 in job.args).remove() == 1

    assert left(redis) == values("delayed_removed_selection")


def test_enqueueing_now_leaves_what_ruby_leaves(redis):
    load(redis, "delayed_several")

    assert delayed_jobs(jobs.emailer).having(*EMAIL).in_queue("emails").enqueue_now() == 3

    assert left(redis) == values("delayed_enqueued_now")


def test_enqueueing_the_first_of_a_time_leaves_what_ruby_leaves_and_the_index_true(redis):
    load(redis, "delayed_several")

    [first] = delayed_jobs().due_at(AT).peek()
    assert store.enqueue_now([first]) == 1

    expected = values("delayed_first_of_timestamp_enqueued")
    [index] = [key for key in expected if '"Emailer"' in key and '"emails"' in key]
    expected[index] = ["delayed:1900000000", "delayed:1900000060"]  # Ruby forgets the one that stays
    assert left(redis) == expected


def test_pushing_back_leaves_what_ruby_leaves(redis):
    load(redis, "delayed_several")

    jobs.emailer.delay_or_enqueue_at(AT + 300 * SECOND, *EMAIL)

    assert left(redis) == values("delayed_pushed_back")


def test_removing_all_leaves_what_ruby_leaves(redis, several):
    assert delayed_jobs().remove() == 9

    assert left(redis) == values("delayed_reset")


# Both kinds


def test_jobs_are_found_the_earliest_first(several):
    assert [(each.job.name, each.is_bare) for each in delayed_jobs().find()[2:6]] == [
        ("Thumbnailer", True),
        (jobs.record.name, False),
        (jobs.record.name, False),
        (jobs.record.name, False),
    ]
    assert [each.job.args for each in delayed_jobs(jobs.record)] == [[1], [2], [3]]
    assert [each.at - AT for each in delayed_jobs(jobs.record)] == [SECOND, 2 * SECOND, 3 * SECOND]


def test_jobs_are_counted_and_peeked_at(several):
    assert [delayed_jobs(each).count() for each in (None, "Emailer", jobs.nothing)] == [9, 4, 0]
    assert delayed_jobs().peek(2, 3) == delayed_jobs().find()[2:5]
    assert delayed_jobs().peek(8, 100) == delayed_jobs().find()[8:]
    assert delayed_jobs(jobs.record).peek(1)[0].job.args == [2]


def test_when_a_job_is_due_is_told(several):
    assert [each.at for each in delayed_jobs(jobs.record).having(2)] == [AT + 2 * SECOND]
    assert list(delayed_jobs(jobs.record).having(7)) == []


def test_jobs_of_one_moment_are_found(redis, several):
    jobs.record.enqueue_at(AT, 0)

    assert [each.job.name for each in delayed_jobs().due_at(AT)] == [
        jobs.record.name,
        "Emailer",
        "Emailer",
        "Thumbnailer",
    ]


def test_a_job_that_was_spelled_otherwise_is_found(redis):
    text = r'{"class":"Emailer","args":["\u003cb\u003e",1e2],"queue":"emails"}'
    redis.rpush("resque:delayed:1900000000", text)
    redis.zadd("resque:delayed_queue_schedule", {"1900000000": 1_900_000_000})

    assert delayed_jobs("Emailer").having("<b>", 100).remove() == 1
    assert redis.keys() == []


def test_ours_are_removed_by_their_arguments_whatever_their_ids(redis):
    for _ in range(3):
        jobs.record.enqueue_at(AT, 1, key=2)
    jobs.record.enqueue_at(AT, 1)

    assert delayed_jobs(jobs.record).having(1, key=2).remove() == 3
    assert delayed_jobs(jobs.record).having().remove() == 0
    assert delayed_jobs(jobs.record).remove() == 1


def test_ours_are_enqueued_now_the_earliest_first(redis, several):
    assert delayed_jobs(jobs.record).enqueue_now() == 3

    assert waiting(redis) == [[1], [2], [3]]
    assert redis.exists("resque:later") == 0


def test_both_kinds_are_moved_to_another_moment(redis, several):
    chosen = delayed_jobs().where(lambda job: job.name == "Newsletter" or job.args == [1])

    assert chosen.move_to(AT + 600 * SECOND) == 2

    assert [each.at - AT for each in chosen] == [600 * SECOND] * 2
    assert redis.lrange("resque:delayed:1900000600", 0, -1) == [NEWSLETTER.encode()]


def test_jobs_are_put_off(redis, several):
    assert delayed_jobs(jobs.record).having(1).put_off(timedelta(days=1)) == 1

    assert delayed_jobs(jobs.record).peek()[0].job.args == [1]


def test_what_is_moved_to_a_moment_that_is_over_is_enqueued(redis, several):
    assert delayed_jobs(jobs.record).having(1).put_off(0) == 1
    assert delayed_jobs("Newsletter").move_to(datetime(2020, 1, 1, tzinfo=UTC)) == 1

    assert waiting(redis) == [[1]]
    assert waiting(redis, "emails") == [[]]


def test_what_moves_to_the_front_wakes_a_scheduler(redis, several):
    redis.delete("resque:wake_scheduler")

    delayed_jobs(jobs.record).having(3).move_to(AT - 1000 * SECOND)
    assert redis.lpop("resque:wake_scheduler") == b"1"

    delayed_jobs("Newsletter").move_to(AT - 2000 * SECOND)
    assert redis.lpop("resque:wake_scheduler") == b"1"

    delayed_jobs("Newsletter").move_to(AT)
    assert redis.exists("resque:wake_scheduler") == 0


def test_what_has_gone_meanwhile_is_left_alone(redis, several):
    found = delayed_jobs().find()
    delayed_jobs().remove()

    assert store.remove(found) == 0
    assert store.move(found, 1_900_000_000_000) == 0
    assert store.enqueue_now(found) == 0


def test_a_text_that_is_no_job_is_in_the_way_of_nothing(redis, several):
    redis.zadd("resque:later", {b"{broken": 1_900_000_000_000})

    assert delayed_jobs(jobs.record).remove() == 3
    assert [each.job for each in delayed_jobs().due_at(AT)][0] is None
    assert delayed_jobs().remove() == 7


def test_all_are_removed_some_at_a_time(redis, several, monkeypatch):
    monkeypatch.setattr(delayedjobs, "REMOVED_AT_ONCE", 2)

    assert delayed_jobs().remove() == 9
    assert delayed_jobs().remove() == 0
    assert left(redis) == {}


def test_many_are_changed(redis):
    for number in range(1_201):
        (jobs.record if number % 2 else jobs.newsletter).enqueue_at(AT + number * SECOND, number)

    assert delayed_jobs().count() == len(delayed_jobs().find()) == 1_201
    assert [each.job.args for each in delayed_jobs().peek(600, 3)] == [[600], [601], [602]]
    assert delayed_jobs(jobs.record).move_to(AT) == 600
    assert delayed_jobs(jobs.newsletter).enqueue_now() == 601
    assert delayed_jobs().remove() == 600


# Delay or enqueue


def test_a_job_that_waits_is_put_off_and_keeps_its_id(redis):
    job = jobs.record.enqueue_in(60, 1, key=2)

    jobs.record.delay_or_enqueue_at(AT, 1, key=2)

    [found] = delayed_jobs()
    assert (found.job, found.at) == (job, AT)


def test_without_one_that_waits_another_is_delayed(redis):
    jobs.record.using(queue="other").enqueue_in(60, 1)

    jobqueue.delay_or_enqueue_in(timedelta(hours=1), jobs.record, 1)

    assert sorted(each.queue for each in delayed_jobs()) == ["default", "other"]


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_commit(redis):
    jobs.record.enqueue_in(60, 1)

    with transaction.atomic():
        jobs.record.delay_or_enqueue_at(AT, 1)
        assert delayed_jobs().peek()[0].at != AT

    assert [each.at for each in delayed_jobs()] == [AT]


def test_its_arguments_are_checked_at_the_call():
    with pytest.raises(InvalidArguments):
        jobqueue.delay_or_enqueue_at(AT, jobs.record, object())


def test_tests_collect_it():
    with capture_jobs() as collected:
        jobs.record.delay_or_enqueue_at(AT, 1)

    assert [(queue, at) for queue, _, at in collected.delayed] == [("default", AT)]


def test_a_redis_that_is_away_is_told(settings, caplog):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"

    with pytest.raises(RedisUnreachable):
        jobs.record.delay_or_enqueue_at(AT, 1)

    assert "jobqueue.push(queue, payload, at=moment)" in caplog.text
