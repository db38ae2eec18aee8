"""Enqueueing inside transactions, on real commits."""

from __future__ import annotations

import logging
import threading

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections, transaction
from django.test import override_settings

import jobqueue
from jobqueue import payload
from jobqueue.exceptions import NotReplicated, RedisUnreachable
from jobqueue.signals import job_push_failed
from tests.sample import jobs
from tests.sample.models import Article

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

UNREACHABLE = "redis://127.0.0.1:1"


class Rollback(Exception):
    pass


def waiting(redis, queue="default"):
    """Return the arguments of a queue's jobs."""
    return [payload.decode(text).args for text in redis.lrange(f"resque:queue:{queue}", 0, -1)]


def test_a_job_is_enqueued_when_the_transaction_commits(redis):
    with transaction.atomic():
        enqueued = jobs.record.enqueue(1)
        assert redis.keys() == []

    (text,) = redis.lrange("resque:queue:default", 0, -1)
    assert payload.decode(text) == enqueued


def test_a_rollback_leaves_nothing(redis):
    with pytest.raises(Rollback), transaction.atomic():
        jobs.record.enqueue(1)
        raise Rollback

    assert redis.keys() == []


def test_a_nested_block_waits_for_the_outermost(redis):
    with transaction.atomic():
        with transaction.atomic():
            jobs.record.enqueue(1)
        assert redis.keys() == []

    assert waiting(redis) == [[1]]


def test_a_savepoint_that_is_rolled_back_takes_its_jobs_along(redis):
    with transaction.atomic():
        jobs.record.enqueue(1)
        with pytest.raises(Rollback), transaction.atomic():
            jobs.record.enqueue(2)
            raise Rollback
        jobs.record.enqueue(3)

    assert waiting(redis) == [[1], [3]]


def test_many_jobs_wait_for_the_commit_together(redis):
    with transaction.atomic():
        jobs.record.enqueue_many([(1,), (2,)])
        assert redis.keys() == []

    assert waiting(redis) == [[1], [2]]


def test_on_commit_false_enqueues_at_once(redis):
    with pytest.raises(Rollback), transaction.atomic():
        jobs.record.using(on_commit=False).enqueue(1)
        raise Rollback

    assert waiting(redis) == [[1]]


def test_a_raw_push_is_made_at_once(redis):
    with transaction.atomic():
        jobqueue.push("default", {"class": "A", "args": [1]})
        assert waiting(redis) == [[1]]


def test_only_the_database_that_is_named_is_waited_for(redis):
    with transaction.atomic(using="other"):
        jobs.record.enqueue("default")
        jobs.record.using(database="other").enqueue("other")
        assert waiting(redis) == [["default"]]

    assert waiting(redis) == [["default"], ["other"]]


def test_outside_a_transaction_no_database_is_opened(redis):
    opened = []

    def enqueue():
        jobs.record.enqueue(1)
        opened.append(connections["default"].connection)

    thread = threading.Thread(target=enqueue)
    thread.start()
    thread.join()

    assert opened == [None]
    assert waiting(redis) == [[1]]


def test_transactions_managed_by_hand_are_refused_by_django(redis):
    transaction.set_autocommit(False)
    try:
        with pytest.raises(transaction.TransactionManagementError, match="manual transaction management"):
            jobs.record.enqueue(1)
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)

    assert redis.keys() == []


def test_asynchronous_code_joins_the_transaction_of_synchronous_code(redis):
    with transaction.atomic():
        async_to_sync(jobs.record.aenqueue)(1)
        assert redis.keys() == []

    assert waiting(redis) == [[1]]


def test_a_push_that_fails_after_the_commit_is_reported_and_stops_nothing(redis, caplog):
    failed = []

    def receiver(queue, payloads, error, **_):
        failed.append((queue, payloads, type(error)))

    job_push_failed.connect(receiver)

    with override_settings(JOBQUEUE_REDIS_URL=UNREACHABLE), transaction.atomic():
        Article.objects.create(title="kept")
        jobs.emailer.enqueue("a", "b", "c")
        jobs.emailer.enqueue("d", "e", "f")
        transaction.on_commit(lambda: redis.set("after", "1"))

    texts = [b'{"class":"Emailer","args":["a","b","c"]}', b'{"class":"Emailer","args":["d","e","f"]}']
    assert failed == [("emails", [text], RedisUnreachable) for text in texts]
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert [text.decode() in line for text, line in zip(texts, lines, strict=True)] == [True, True]
    assert redis.get("after") == b"1"
    assert Article.objects.filter(title="kept").exists()


def test_a_push_whose_answer_is_lost_is_not_reported_as_not_enqueued(redis_factory, settings, caplog):
    server = redis_factory()
    settings.JOBQUEUE_REDIS_URL = server.url
    settings.JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 0.05
    server.freeze()

    with pytest.raises(RedisUnreachable) as unreachable:
        jobs.emailer.enqueue("a", "b", "c")

    assert unreachable.value.may_have_arrived
    assert "enqueued or not, the answer is lost: Redis at " in caplog.text
    assert "not enqueued: " not in caplog.text


def test_a_push_that_was_never_sent_is_reported_as_not_enqueued(settings, caplog):
    settings.JOBQUEUE_REDIS_URL = UNREACHABLE

    with pytest.raises(RedisUnreachable) as unreachable:
        jobs.emailer.enqueue("a", "b", "c")

    assert not unreachable.value.may_have_arrived
    assert "not enqueued: Redis at " in caplog.text


def test_a_job_on_too_few_replicas_after_the_commit_is_reported_as_enqueued(redis, caplog):
    failed = []
    job_push_failed.connect(failed.append)

    with (
        override_settings(JOBQUEUE_WAIT_REPLICAS=1, JOBQUEUE_WAIT_TIMEOUT_SECONDS=0.001),
        transaction.atomic(),
    ):
        jobs.emailer.enqueue("a", "b", "c")

    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert line.startswith(
        "enqueued, but a failover may lose it: Enqueued in 'emails', but not known to be on 1"
    )
    assert "Enqueued again, it is performed twice." in line
    assert line.endswith("""queue='emails' payload={"class":"Emailer","args":["a","b","c"]}""")
    assert redis.llen("resque:queue:emails") == 1
    assert failed == []


def test_outside_a_transaction_the_caller_is_told_of_too_few_replicas(redis, done):
    jobs.Hooked.vetoes = set()

    with (
        override_settings(JOBQUEUE_WAIT_REPLICAS=1, JOBQUEUE_WAIT_TIMEOUT_SECONDS=0.001),
        pytest.raises(NotReplicated),
    ):
        jobqueue.enqueue(jobs.Hooked, 1)

    assert waiting(redis, "hooked") == [[1]]
    assert ("after_enqueue", 1) in done


def test_a_failing_hook_of_somebody_else_stops_no_job(redis):
    with transaction.atomic():
        jobs.record.enqueue(1)
        transaction.on_commit(lambda: 1 / 0, robust=True)
        jobs.record.enqueue(2)

    assert waiting(redis) == [[1], [2]]


def test_failing_after_enqueue_hooks_stop_neither_job(redis, done, caplog):
    jobs.Hooked.broken = {"after_enqueue"}

    with transaction.atomic():
        jobqueue.enqueue(jobs.Hooked, 1)
        jobqueue.enqueue(jobs.Hooked, 2)

    assert waiting(redis, "hooked") == [[1], [2]]
    assert sum("after_enqueue is broken" in record.getMessage() for record in caplog.records) == 2


def test_a_vetoed_job_is_not_enqueued_at_the_commit(redis, done):
    jobs.Hooked.vetoes = {"before_enqueue"}

    with transaction.atomic():
        assert jobqueue.enqueue(jobs.Hooked, 1) is None
        assert done == [("before_enqueue", 1), ("before_enqueue_second", 1)]

    assert redis.keys() == []


def test_after_enqueue_runs_after_the_commit(redis, done):
    with transaction.atomic():
        jobqueue.enqueue(jobs.Hooked, 1)
        before_commit = list(done)

    assert ("after_enqueue", 1) not in before_commit
    assert done[-1] == ("after_enqueue", 1)


@override_settings(JOBQUEUE_INLINE=True)
def test_inline_performs_inside_the_transaction(done):
    with transaction.atomic():
        jobs.record.enqueue(1)
        assert done == [("record", 1)]
        assert connection.in_atomic_block
