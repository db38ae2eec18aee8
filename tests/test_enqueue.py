"""What reaches Redis, outside of transactions; see test_on_commit for those."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from django.test import override_settings
from msgspec import structs

import jobqueue
from jobqueue import dequeueing, enqueueing, job, payload
from jobqueue.exceptions import (
    InvalidArguments,
    InvalidPayload,
    PayloadTooLarge,
    RedisUnreachable,
    UnknownJob,
)
from jobqueue.payload import Job
from jobqueue.signals import job_enqueued, job_finished, job_push_failed, job_started
from tests.goldenfiles import dump, values
from tests.sample import jobs

ARGS = ("person@example.com", "Sample Subject", "Hello there")
UNREACHABLE = "redis://127.0.0.1:1"


@pytest.fixture
def receive():
    """Connect a list to a signal for the test and return it."""
    connected = []

    def connect(signal, *names, sender=None):
        received = []

        def receiver(sender, **arguments):
            received.append((sender, *(arguments[name] for name in names)))

        signal.connect(receiver, sender=sender, weak=False)
        connected.append((signal, receiver, sender))
        return received

    yield connect
    for signal, receiver, sender in connected:
        signal.disconnect(receiver, sender=sender)


def waiting(redis, queue):
    """Return the decoded jobs of a queue, without their ids."""
    return [
        structs.replace(payload.decode(text), id=None)
        for text in redis.lrange(f"resque:queue:{queue}", 0, -1)
    ]


def keys_without_ours(redis):
    """Return what Resque knows of the database; doorbells and push numbers are ours."""
    return {key: value for key, value in dump(redis).items() if "wake" not in key and ":sent:" not in key}


def test_enqueue_leaves_what_ruby_leaves(redis):
    jobs.emailer.enqueue(*ARGS)

    assert keys_without_ours(redis) == values("enqueue")


def test_enqueue_on_several_queues_leaves_what_ruby_leaves(redis):
    jobs.emailer.enqueue(*ARGS)
    jobs.emailer.enqueue("second@example.com", "Sample Subject", "Hello again")
    jobqueue.enqueue("Thumbnailer", "/photos/1.jpg", 640, 480)
    jobs.newsletter.using(queue="low").enqueue()
    jobqueue.enqueue_to("high", jobs.emailer, *ARGS)

    assert keys_without_ours(redis) == values("enqueue_several_queues")


def test_special_values_are_written_as_ruby_writes_them(redis):
    (text,) = values("enqueue_special_values")["resque:queue:emails"]

    jobs.newsletter.enqueue(*json.loads(text)["args"])

    assert keys_without_ours(redis) == values("enqueue_special_values")


@pytest.mark.parametrize("namespace", ["myns", "resque:GitHub"])
def test_namespaces_are_kept(redis, namespace):
    name = {"myns": "enqueue_namespace_myns", "resque:GitHub": "enqueue_namespace_nested"}[namespace]
    expected = values(name)
    queue = next(key for key in expected if ":queue:" in key)

    with override_settings(JOBQUEUE_NAMESPACE=namespace):
        jobqueue.push(queue.rpartition(":")[2], json.loads(expected[queue][0]))

    assert keys_without_ours(redis) == expected


def test_a_job_knows_its_id_and_when_it_was_enqueued(redis):
    enqueued = jobs.send_email.enqueue("a@example.com", body="Hello")

    (text,) = redis.lrange("resque:queue:emails", 0, -1)
    assert payload.decode(text) == enqueued
    assert len(enqueued.id) == 22
    assert enqueued.enqueued_at is not None


def test_a_bare_job_has_no_id(redis):
    assert jobs.emailer.enqueue(*ARGS).id is None


@pytest.mark.parametrize("target", [jobs.Exporter, "tests.sample.jobs.Exporter"])
def test_a_class_is_enqueued_as_itself_or_by_name(redis, target):
    jobqueue.enqueue(target, 7, format="xml")

    assert waiting(redis, "exports") == [Job("tests.sample.jobs.Exporter", [7], {"format": "xml"})]


def test_arguments_named_like_parameters_of_ours_are_the_jobs_own(redis):
    jobqueue.enqueue_to("mine", jobs.record, definition=1, queue=2)

    assert waiting(redis, "mine") == [Job(jobs.record.name, [], {"definition": 1, "queue": 2})]


def test_an_unregistered_job_is_not_enqueued(redis):
    with pytest.raises(UnknownJob):
        jobqueue.enqueue("nobody", 1)

    assert redis.keys() == []


def test_arguments_that_are_no_json_are_refused_at_the_call(redis):
    with pytest.raises(InvalidArguments, match=r"args\[1\]\.when"):
        jobs.record.enqueue(1, {"when": object()})

    assert redis.keys() == []


@override_settings(JOBQUEUE_MAX_PAYLOAD_BYTES=100)
def test_a_payload_that_is_too_large_is_refused_at_the_call(redis):
    with pytest.raises(PayloadTooLarge):
        jobs.record.enqueue("x" * 100)

    assert redis.keys() == []


def test_enqueueing_from_asynchronous_code(redis):
    enqueued = asyncio.run(jobs.send_email.aenqueue("a@example.com"))

    assert waiting(redis, "emails") == [structs.replace(enqueued, id=None)]


def test_a_debug_line_tells_of_an_enqueue(redis, caplog):
    with caplog.at_level(logging.DEBUG, "jobqueue"):
        job = jobs.record.enqueue(1)

    assert f"enqueued: (Job{{default}} | tests.sample.jobs.record | [1] | {job.id})" in caplog.messages


def test_a_signal_tells_that_redis_has_the_job(redis, receive):
    received = receive(job_enqueued, "job", "queue", sender=jobs.send_email)

    enqueued = jobs.send_email.using(queue="urgent").enqueue("a@example.com")
    jobs.nothing.enqueue()

    assert received == [(jobs.send_email, enqueued, "urgent")]


@override_settings(JOBQUEUE_REDIS_URL=UNREACHABLE)
def test_a_push_that_fails_reaches_the_caller_the_log_and_a_signal(receive, caplog):
    failed = receive(job_push_failed, "queue", "payloads", "error")
    enqueued = receive(job_enqueued, "job")

    with pytest.raises(RedisUnreachable) as refused:
        jobs.emailer.enqueue("a@example.com", "b", "c")

    text = '{"class":"Emailer","args":["a@example.com","b","c"]}'
    (record,) = [record for record in caplog.records if record.name == "jobqueue"]
    assert record.levelname == "CRITICAL"
    assert "call jobqueue.push(queue, payload): queue='emails' payload=" + text in record.getMessage()
    assert failed == [(jobs.emailer, "emails", [text.encode()], refused.value)]
    assert enqueued == []


def test_a_payload_from_the_log_is_pushed_as_it_stands(redis):
    text = '{"class":"Emailer", "args":["a@example.com"], "id":"x", "foreign":1}'

    jobqueue.push("emails", text)
    jobqueue.push("emails", text.encode())

    assert redis.lrange("resque:queue:emails", 0, -1) == [text.encode()] * 2
    assert redis.smembers("resque:queues") == {b"emails"}


def test_a_job_is_pushed_by_name_without_its_code(redis):
    jobqueue.push("reports", {"args": [1], "class": "Reports::Yearly"})
    jobqueue.push("reports", {"class": "Reports::Monthly", "by": "hand"})

    assert redis.lrange("resque:queue:reports", 0, -1) == [
        b'{"class":"Reports::Yearly","args":[1]}',
        b'{"class":"Reports::Monthly","args":[],"by":"hand"}',
    ]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"args": [1]}, InvalidPayload, "should have a text `class` and a list `args`"),
        ({"class": "A", "args": 1}, InvalidPayload, "should have a text `class` and a list `args`"),
        ({"class": "A", "args": [{1}]}, InvalidArguments, r"payload\.args\[0\]"),
        ("no JSON", InvalidPayload, "no JSON"),
        ("\ud800", InvalidPayload, "no JSON"),
        ("[]", InvalidPayload, "a payload is a JSON object"),
    ],
)
def test_what_is_no_job_is_not_pushed(redis, given, error, message):
    with pytest.raises(error, match=message):
        jobqueue.push("emails", given)

    assert redis.keys() == []


def test_a_push_needs_a_queue(redis):
    with pytest.raises(InvalidArguments, match="queue='' should be the name of a queue"):
        jobqueue.push("", {"class": "A"})


def test_many_calls_are_enqueued_in_their_order(redis):
    enqueued = jobqueue.enqueue_many(jobs.send_email, [("a", "b"), ["c"], {"to": "d", "body": "e"}])

    assert waiting(redis, "emails") == [structs.replace(each, id=None) for each in enqueued]
    assert [(each.args, each.kwargs) for each in enqueued] == [
        (["a", "b"], {}),
        (["c"], {}),
        ([], {"to": "d", "body": "e"}),
    ]


def test_many_calls_need_one_round_trip_for_each_thousand(redis, monkeypatch):
    sizes = []
    monkeypatch.setattr(enqueueing, "push", lambda queue, payloads: sizes.append(len(payloads)))

    jobs.record.enqueue_many((number,) for number in range(2001))

    assert sizes == [1000, 1000, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("text", r"calls\[1\]: 'text' should be a tuple or list of positional.*\('text',\)"),
        ((object(),), r"calls\[1\]: args\[0\]"),
        ((), r"calls\[1\]: tests\.sample\.jobs\.send_email\(.* missing a required argument"),
    ],
)
def test_one_wrong_call_of_many_enqueues_nothing(redis, call, message):
    with pytest.raises(InvalidArguments, match=message):
        jobs.send_email.enqueue_many([("a",), call])

    assert redis.keys() == []


def test_of_many_calls_those_that_redis_did_not_take_are_reported(redis, receive, monkeypatch, caplog):
    failed = receive(job_push_failed, "payloads")
    announced = receive(job_enqueued, "job")
    pushed = []

    def push(queue, payloads):
        if pushed:
            raise RedisUnreachable("Redis is away.")
        pushed.extend(payloads)

    monkeypatch.setattr(enqueueing, "push", push)

    with pytest.raises(RedisUnreachable):
        jobs.record.enqueue_many([(number,) for number in range(2005)])

    assert [payload.decode(text).args for text in failed[0][1]] == [[number] for number in range(1000, 2005)]
    assert [job.args for _, job in announced] == [[number] for number in range(1000)]
    assert sum(record.levelname == "CRITICAL" for record in caplog.records) == 1005


# Dequeue


def test_dequeue_by_arguments_leaves_what_ruby_leaves(redis):
    for args in (ARGS, ("second@example.com", "Sample Subject", "x"), ARGS):
        jobs.emailer.enqueue(*args)
    jobs.bouncing_emailer.enqueue(*ARGS)

    assert jobqueue.dequeue(jobs.emailer, *ARGS) == 2
    assert keys_without_ours(redis) == values("dequeue_one_args")


def test_dequeue_of_a_whole_class_leaves_what_ruby_leaves(redis):
    jobs.emailer.enqueue(*ARGS)
    jobs.bouncing_emailer.enqueue(*ARGS)
    jobs.emailer.enqueue("second@example.com", "", "")

    assert jobqueue.dequeue("Emailer") == 2
    assert keys_without_ours(redis) == values("dequeue_whole_class")


def test_remove_queue_leaves_what_ruby_leaves(redis):
    jobs.emailer.enqueue(*ARGS)
    jobs.thumbnailer.enqueue("/photos/1.jpg", 640, 480)

    jobqueue.remove_queue("emails")

    assert keys_without_ours(redis) == values("remove_queue")


def test_a_job_is_dequeued_whatever_its_id_and_spelling(redis):
    jobs.record.enqueue("a", 1.0, b={"x": [True, None]})
    spelling = (
        '{ "class":"tests.sample.jobs.record", "args":["\\u0061",1,{"_kwargs":{"b":{"x":[true,null]}}}]}'
    )
    jobqueue.push("default", spelling)

    assert jobqueue.dequeue(jobs.record, "a", 1, b={"x": [True, None]}) == 2
    assert jobqueue.size("default") == 0


def test_dequeue_looks_at_the_queue_it_is_told(redis):
    jobqueue.enqueue_to("urgent", jobs.record, 1)

    assert jobqueue.dequeue(jobs.record, 1) == 0
    assert jobqueue.dequeue(jobs.record.using(queue="urgent"), 1) == 1


def test_dequeue_passes_over_what_is_no_job(redis):
    redis.rpush("resque:queue:default", "no JSON")
    jobs.record.enqueue()

    assert jobqueue.dequeue(jobs.record) == 1
    assert redis.lrange("resque:queue:default", 0, -1) == [b"no JSON"]


def test_dequeue_finds_jobs_in_every_part_of_a_long_queue(redis, monkeypatch):
    monkeypatch.setattr(dequeueing, "READ_AT_ONCE", 3)
    jobs.record.enqueue_many([(number % 2,) for number in range(10)])

    assert jobqueue.dequeue(jobs.record, 1) == 5
    assert [job.args for job in waiting(redis, "default")] == [[0]] * 5


def test_nothing_is_passed_over_while_workers_claim_and_others_enqueue(redis, monkeypatch):
    monkeypatch.setattr(dequeueing, "READ_AT_ONCE", 2)
    redis.rpush("q", *range(9))
    monkeypatch.setattr(dequeueing, "payloads", lambda queue, start, stop: redis.lrange("q", start, stop))
    seen = []

    for turn, text in enumerate(dequeueing.waiting("q")):
        seen.append(int(text))
        if turn in (0, 3):
            redis.lpop("q")
            redis.rpush("q", 90 + turn)

    assert set(seen) >= set(range(2, 9))


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        ("a", "a", True),
        ("1", 1, False),
        (None, None, True),
        (None, False, False),
        ([1, 2], (1, 2.0), True),
        ([1], [1, 2], False),
        ([1], [True], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1}, {"a": True}, False),
        ({}, [], False),
    ],
)
def test_values_are_compared_as_json(one, other, answer):
    assert dequeueing.same(one, other) is answer
    assert dequeueing.same(other, one) is answer


# Reading


def test_peek_shows_waiting_jobs_the_next_one_first(redis):
    jobs.record.enqueue_many([(number,) for number in range(4)])
    redis.rpush("resque:queue:default", "[]")

    assert [job.args for job in jobqueue.peek("default")] == [[0]]
    assert [job.args for job in jobqueue.peek("default", 1, 2)] == [[1], [2]]
    assert jobqueue.peek("default", 4, 5) == [None]
    assert jobqueue.peek("default", 0, 0) == []


def test_the_state_of_redis_is_told(redis):
    jobs.record.enqueue()
    jobs.emailer.enqueue(*ARGS)

    assert jobqueue.queues() == ["default", "emails"]
    assert jobqueue.size("emails") == 1
    assert (jobqueue.workers(), jobqueue.working()) == ([], [])
    assert jobqueue.info().pending == 2


# Inline


@pytest.fixture
def inline(settings):
    settings.JOBQUEUE_INLINE = True
    settings.JOBQUEUE_REDIS_URL = UNREACHABLE


@pytest.mark.usefixtures("inline")
def test_inline_performs_at_once_without_redis(done, receive):
    started = receive(job_started, "job", "queue")
    finished = receive(job_finished, "job")
    enqueued = receive(job_enqueued, "job")

    job = jobs.record.using(queue="urgent").enqueue("é", [1.0], deep={"a": None})

    assert done == [("record", "é", [1.0], {"deep": {"a": None}})]
    assert started == [(jobs.record, job, "urgent")]
    assert finished == enqueued == [(jobs.record, job)]


@pytest.mark.usefixtures("inline")
def test_inline_passes_arguments_through_json(done):
    given = {"list": [1]}

    jobs.record.enqueue(given)
    given["list"].append(2)

    assert done == [("record", {"list": [1]})]


@pytest.mark.usefixtures("inline")
def test_inline_lets_an_error_reach_the_caller(receive):
    finished = receive(job_finished, "outcome")

    with pytest.raises(ValueError, match="as it was told"):
        jobs.fail.enqueue()

    assert [outcome.kind.name for _, outcome in finished] == ["FAILED"]


@pytest.mark.usefixtures("inline")
def test_inline_performs_many_and_pushed_jobs(done):
    jobs.record.enqueue_many([(1,), (2,)])
    jobqueue.push("emails", {"class": "Emailer", "args": ["a", "b", "c"]})

    assert done == [("record", 1), ("record", 2), ("Emailer", "a", "b", "c")]


@pytest.mark.usefixtures("inline")
def test_inline_refuses_a_pushed_job_that_it_does_not_know():
    with pytest.raises(UnknownJob):
        jobqueue.push("emails", {"class": "Somebody::Else"})


@pytest.mark.usefixtures("own_registry")
def test_any_error_of_a_push_is_reported(redis, receive):
    """A Redis that is full answers, but takes nothing."""
    failed = receive(job_push_failed, "error")
    redis.set("resque:queue:odd", "no list")

    @job(name="odd", queue="odd")
    def odd(): ...

    with pytest.raises(Exception, match="WRONGTYPE") as refused:
        odd.enqueue()

    assert failed == [(odd, refused.value)]
