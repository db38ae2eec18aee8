"""Delaying jobs: enqueue_in, enqueue_at, and their kin."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction

import jobqueue
from jobqueue import payload
from jobqueue.exceptions import InvalidArguments, RedisUnreachable
from jobqueue.payload import Job
from jobqueue.signals import job_enqueued, job_push_failed
from jobqueue.testing import capture_jobs, perform_enqueued
from tests.goldenfiles import dump, values
from tests.sample import jobs
from tests.sample.jobs import Hooked

AT = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)
AT_MS = 1_900_000_000_000
EMAIL = ("person@example.com", "Sample Subject", "Hello there")


class Rollback(Exception):
    pass


def later(redis):
    """Return the jobs of ours that wait, with their moments in ms."""
    members = redis.zrange("resque:later", 0, -1, withscores=True)
    return [(payload.decode(text), int(moment)) for text, moment in members]


def left(redis):
    ours = ("resque:sent:", "resque:wake")
    return {key: value for key, value in dump(redis).items() if not key.startswith(ours)}


def test_a_job_waits_for_its_moment(redis):
    job = jobs.send_email.enqueue_at(AT, "a@example.com", body="Hello")

    assert later(redis) == [(job, AT_MS)]
    assert (job.args, job.kwargs) == (["a@example.com"], {"body": "Hello"})
    assert jobqueue.size("emails") == 0


@pytest.mark.parametrize("delay", [3600, timedelta(hours=1)])
def test_a_job_waits_for_some_time(redis, delay):
    job = jobs.record.enqueue_in(delay, 1)

    [(found, moment)] = later(redis)
    assert found == job
    assert moment == pytest.approx((time.time() + 3600) * 1000, abs=10_000)


def test_equal_jobs_at_one_moment_are_two(redis):
    jobs.record.enqueue_at(AT, 1)
    jobs.record.enqueue_at(AT, 1)

    assert len(later(redis)) == 2


@pytest.mark.parametrize("moment", [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1)])
def test_a_job_that_is_due_already_is_enqueued_at_once(redis, moment):
    job = jobs.record.enqueue_at(moment, 1)

    assert [payload.decode(text) for text in redis.lrange("resque:queue:default", 0, -1)] == [job]
    assert redis.exists("resque:later") == 0


def test_a_job_that_is_to_wait_for_no_time_is_enqueued_at_once(redis):
    jobs.record.enqueue_in(0, 1)
    jobqueue.enqueue_in(timedelta(), jobs.emailer, *EMAIL)

    assert (jobqueue.size("default"), jobqueue.size("emails")) == (1, 1)


def test_using_another_queue(redis):
    jobs.record.using(queue="urgent").enqueue_at(AT, 1)

    [text] = redis.zrange("resque:later", 0, -1)
    assert b'"args":[1],"queue":"urgent","id"' in text


@pytest.mark.parametrize(
    "delay", [lambda: jobqueue.enqueue_at_to("high", AT, jobs.Exporter, 7)]
    + [lambda: jobqueue.enqueue_in_to("high", 60, jobs.Exporter, 7)]
    + [lambda: jobqueue.enqueue_at_to("high", AT, "tests.sample.jobs.Exporter", 7)],
)  # fmt: skip
def test_classes_and_names_are_delayed_for_a_queue(redis, delay):
    delay()

    [text] = redis.zrange("resque:later", 0, -1)
    assert text.startswith(b'{"class":"tests.sample.jobs.Exporter","args":[7],"queue":"high","id"')


def test_asynchronous_code_delays_jobs(redis):
    job = async_to_sync(jobs.record.aenqueue_at)(AT, 1)
    other = async_to_sync(jobs.record.aenqueue_in)(timedelta(hours=1), 2, key=3)

    assert [found for found, _ in later(redis)] == [other, job]


@pytest.mark.parametrize("delay", ["60", -1, None])
def test_what_is_no_time_is_refused_at_the_call(delay):
    with pytest.raises(InvalidArguments, match="should be a number of seconds or a timedelta, not negative"):
        jobs.record.enqueue_in(delay, 1)


def test_text_is_no_moment():
    with pytest.raises(InvalidArguments, match="'tomorrow' should be a datetime"):
        jobs.record.enqueue_at("tomorrow", 1)


def test_arguments_are_checked_at_the_call():
    with pytest.raises(InvalidArguments, match=r"args\[0\]"):
        jobs.record.enqueue_in(60, object())


# Bare jobs


def test_a_bare_job_stands_where_ruby_finds_it(redis):
    jobs.emailer.enqueue_at(AT, *EMAIL)

    assert left(redis) == values("delayed_enqueue_at")


def test_a_bare_job_for_another_queue_stands_where_ruby_finds_it(redis):
    jobqueue.enqueue_at_to("high", AT, jobs.emailer, *EMAIL)

    assert left(redis) == values("delayed_enqueue_at_with_queue")


def test_a_raw_payload_of_ruby_is_delayed_as_ruby_does_it(redis):
    jobqueue.push("emails", {"class": "Emailer", "args": list(EMAIL)}, at=AT)

    assert left(redis) == values("delayed_enqueue_at")


def test_a_raw_payload_of_ours_is_delayed(redis):
    jobqueue.push("emails", '{"class":"A","args":[],"id":"x"}', at=AT)

    assert redis.zrange("resque:later", 0, -1) == [b'{"class":"A","args":[],"queue":"emails","id":"x"}']


# Transactions


@pytest.mark.django_db(transaction=True)
def test_a_job_is_delayed_when_the_transaction_commits(redis):
    with transaction.atomic():
        job = jobs.record.enqueue_at(AT, 1)
        assert redis.keys() == []

    assert later(redis) == [(job, AT_MS)]


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_nothing(redis):
    with pytest.raises(Rollback), transaction.atomic():
        jobs.record.enqueue_at(AT, 1)
        raise Rollback

    assert redis.keys() == []


@pytest.mark.django_db(transaction=True)
def test_what_is_due_by_the_commit_is_enqueued(redis, monkeypatch):
    with transaction.atomic():
        jobs.record.enqueue_in(60, 1)
        monkeypatch.setattr("jobqueue.duetime.time.time", lambda: datetime.now(UTC).timestamp() + 61)

    assert jobqueue.size("default") == 1


# What is told


def test_receivers_of_the_signal_are_told_when_it_is_due(redis):
    told = []

    def receive(job, queue, at, **_):
        told.append((job, queue, at))

    job_enqueued.connect(receive)
    try:
        job, other = jobs.record.enqueue_at(AT, 1), jobs.record.enqueue(2)
    finally:
        job_enqueued.disconnect(receive)

    assert told == [(job, "default", AT), (other, "default", None)]


def test_what_was_not_delayed_is_left_where_it_can_be_replayed(settings, caplog):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
    told = []

    def receive(at, **_):
        told.append(at)

    job_push_failed.connect(receive)
    try:
        with caplog.at_level(logging.CRITICAL), pytest.raises(RedisUnreachable):
            jobs.record.enqueue_at(AT, 1)
    finally:
        job_push_failed.disconnect(receive)

    assert told == [AT]
    assert (
        "call jobqueue.push(queue, payload, at=moment): queue='default' moment=2030-03-17T17:46:40+00:00 "
        'payload={"class":"tests.sample.jobs.record","args":[1],"id":'
    ) in caplog.text


def test_hooks_run_at_the_call_as_the_scheduler_runs_none(redis, done):
    jobqueue.enqueue_at(AT, Hooked, 1)

    assert [name for name, *_ in done] == [
        "before_schedule",
        "before_enqueue",
        "before_enqueue_second",
        "after_enqueue",
        "after_schedule",
    ]


@pytest.mark.parametrize("hook", ["before_schedule", "before_enqueue"])
def test_a_hook_may_veto_the_delay(redis, done, hook):
    Hooked.vetoes = {hook}

    assert jobqueue.enqueue_in(60, Hooked, 1) is None
    assert redis.keys() == []


def test_hooks_of_delays_leave_a_job_alone_that_is_not_delayed(redis, done):
    jobqueue.enqueue_in(0, Hooked, 1)

    assert [name for name, *_ in done] == ["before_enqueue", "before_enqueue_second", "after_enqueue"]


# Without Redis


def test_inline_performs_at_once(settings, done):
    settings.JOBQUEUE_INLINE = True

    jobs.record.enqueue_in(timedelta(days=5), 1)

    assert done == [("record", 1)]


def test_tests_collect_what_is_delayed_apart(done):
    with capture_jobs() as collected:
        job = jobs.record.enqueue_at(AT, 1)
        jobs.record.enqueue_in(0, 2)
        jobqueue.push("rubys", {"class": "Ruby", "args": []}, at=AT)

    assert [job.args for _, job in collected] == [[2]]
    assert collected.delayed == [("default", job, AT), ("rubys", Job("Ruby", []), AT)]


def test_tests_perform_what_is_due_by_a_moment(done):
    with capture_jobs() as collected:
        jobs.record.enqueue_at(AT, "second")
        jobs.record.enqueue_at(AT - timedelta(days=1), "first")
        jobs.record.enqueue_at(AT + timedelta(seconds=1), "later")
        jobs.record.enqueue("now")

    assert perform_enqueued(collected) == 1
    assert perform_enqueued(collected, until=AT) == 2

    assert done == [("record", "now"), ("record", "first"), ("record", "second")]
    assert [job.args for _, job, _ in collected.delayed] == [["later"]]
