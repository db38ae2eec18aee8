from __future__ import annotations

import logging
import os
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from jobqueue import databases, delayed, job, payload
from jobqueue.connection import client
from jobqueue.exceptions import JobTimeout, Retry
from jobqueue.failure import Failure
from jobqueue.interruption import interruption
from jobqueue.outcome import Kind
from jobqueue.payload import Job
from jobqueue.performing import perform, warm_up
from jobqueue.signals import job_finished, job_started
from tests.sample import jobs

pytestmark = pytest.mark.django_db

QUEUE, WORKER = "emails", "web1:4711:emails"


def perform_job(name, *args, **kwargs):
    return perform(payload.write(Job(name, list(args), kwargs)), QUEUE, WORKER)


def perform_text(text):
    return perform(text.encode(), QUEUE, WORKER)


def failure_of(outcome):
    assert outcome.kind is Kind.FAILED
    return Failure.parse(outcome.failure)


@pytest.fixture
def define(own_registry):
    """Return a function that registers a function as the job ``x``."""
    return lambda function: job(name="x")(function)


def test_a_job_is_called_with_its_arguments(done):
    outcome = perform_job(jobs.send_email.name, "a@example.com", body="Hello")

    assert done == [("send_email", "a@example.com", "", "Hello")]
    assert outcome.kind is Kind.DONE
    assert outcome.job == Job(jobs.send_email.name, ["a@example.com"], {"body": "Hello"})
    assert (outcome.failure, outcome.error) == (None, None)


def test_a_class_job_of_rubys_is_performed(done):
    outcome = perform_text('{"class":"Importer","args":["file.csv"]}')

    assert outcome.kind is Kind.DONE
    assert done == [("Importer", "file.csv")]


def test_what_a_job_raises_becomes_a_failure_as_resque_writes_it():
    text = '{"class":"BouncingEmailer","args":["person@example.com"],"foreign":1}'

    outcome = perform_text(text)

    failure = failure_of(outcome)
    assert text.encode() in outcome.failure
    assert (failure.exception, failure.error) == ("ValueError", "cannot deliver to person@example.com")
    assert (failure.queue, failure.worker) == (QUEUE, WORKER)
    line = jobs.bouncing_emailer.function.__code__.co_firstlineno + 2
    assert failure.backtrace == [f"{jobs.__file__}:{line}:in `bouncing_emailer'"]
    assert str(outcome.error) == failure.error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, RecursionError])
def test_no_error_of_a_job_ends_the_worker(define, error):
    @define
    def stop():
        raise error("stop")

    assert failure_of(perform_job("x")).exception == error.__name__


def test_an_error_whose_message_breaks_is_a_failure_all_the_same(define):
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    @define
    def stop():
        raise Odd

    logging.raiseExceptions, before = False, logging.raiseExceptions
    try:
        failure = failure_of(perform_job("x"))
    finally:
        logging.raiseExceptions = before

    assert failure.exception.endswith("Odd")


@pytest.mark.parametrize(
    ("text", "exception", "error"),
    [
        ("no JSON", "jobqueue.exceptions.InvalidPayload", "'no JSON' is no JSON"),
        ("[1]", "jobqueue.exceptions.InvalidPayload", "a payload is a JSON object"),
        ("{}", "jobqueue.exceptions.InvalidPayload", "names no job: its class is None"),
        ('{"class":"os.system","args":["true"]}', "jobqueue.exceptions.UnknownJob", "'os.system'"),
        (
            '{"class":"Emailer","args":[]}',
            "jobqueue.exceptions.InvalidArguments",
            "missing a required argument",
        ),
    ],
)
def test_what_cannot_be_called_is_a_failure_without_a_line_of_code(done, text, exception, error):
    failure = failure_of(perform_text(text))

    assert failure.exception == exception
    assert error in failure.error
    assert failure.backtrace == []
    assert done == []


def test_a_process_that_a_job_forked_ends_where_the_job_ends(define):
    parent = os.getpid()

    @define
    def fork(raising):
        child = os.fork()
        if child == 0 and raising:
            raise SystemExit
        if os.getpid() == parent:
            statuses.append(os.waitpid(child, 0)[1])

    statuses: list[int] = []
    assert perform_job("x", False).kind is Kind.DONE
    assert perform_job("x", True).kind is Kind.DONE
    assert os.getpid() == parent
    assert [os.waitstatus_to_exitcode(status) for status in statuses] == [0, 1]


# Retries


def attempts_of(outcome):
    assert outcome.kind is Kind.RETRY
    assert outcome.failure is None
    return [(each.exception, each.error) for each in waiting(outcome).attempts]


def waiting(outcome):
    """Return the job that waits to be tried again."""
    return payload.decode(delayed.read(outcome.later.member).payload)


def test_a_job_that_fails_waits_to_be_tried_again_and_knows_why(own_registry):
    @job(name="x", retries=2, backoff=[7, 9])
    def fail(number):
        raise ValueError(f"no {number}")

    first = perform(payload.write(Job("x", [1], id="i")), QUEUE, WORKER)
    second = perform(payload.write(waiting(first)), QUEUE, WORKER)
    third = perform(payload.write(waiting(second)), QUEUE, WORKER)

    assert attempts_of(first) == [("ValueError", "no 1")]
    assert attempts_of(second) == [("ValueError", "no 1")] * 2
    assert [first.later.pause_ms, second.later.pause_ms] == [7_000, 9_000]
    assert delayed.read(second.later.member).queue == QUEUE
    failed = failure_of(third)
    assert failed.error == "no 1"
    assert (failed.job.id, len(failed.job.attempts), third.later) == ("i", 2, None)


def test_without_retries_a_job_fails_at_once(define):
    @define
    def fail():
        raise ValueError

    assert perform_job("x").kind is Kind.FAILED


def test_a_job_may_ask_to_be_tried_again(define):
    @define
    def ask():
        try:
            raise ConnectionError("too many requests")
        except ConnectionError as error:
            raise Retry(in_=60) from error

    outcome = perform_job("x")

    assert attempts_of(outcome) == [("ConnectionError", "too many requests")]
    assert outcome.later.pause_ms == 60_000
    assert isinstance(outcome.error, Retry)


def test_a_class_job_may_ask_too(own_registry):
    @job(name="x")
    class Asking:
        @staticmethod
        def perform():
            raise Retry("not yet", in_=timedelta(minutes=2))

    outcome = perform_job("x")

    assert attempts_of(outcome) == [("jobqueue.exceptions.Retry", "not yet")]
    assert outcome.later.pause_ms == 120_000


def test_a_job_that_has_asked_too_often_fails_for_its_reason(own_registry):
    @job(name="x", retries=1)
    def ask():
        try:
            raise ConnectionError("too many requests")
        except ConnectionError as error:
            raise Retry(in_=60) from error

    outcome = perform(payload.write(waiting(perform_job("x"))), QUEUE, WORKER)

    failed = failure_of(outcome)
    assert (failed.exception, failed.error) == ("ConnectionError", "too many requests")
    assert failed.backtrace[0].endswith("in `ask'")


def test_an_asynchronous_job_is_tried_again(own_registry):
    @job(name="x", retries=1, backoff=[7])
    async def fail():
        raise ValueError("no")

    assert attempts_of(perform_job("x")) == [("ValueError", "no")]


@pytest.mark.parametrize("text", ["no JSON", '{"class":"os.system","args":[]}', '{"class":"x","args":[1]}'])
def test_what_cannot_be_called_is_never_tried_again(own_registry, text):
    job(name="x", retries=5)(lambda: None)

    assert perform_text(text).kind is Kind.FAILED


def test_a_job_with_a_number_that_is_too_large_is_tried_again(own_registry):
    @job(name="x", retries=5)
    def fail(number):
        raise ValueError(number)

    assert perform_text('{"class":"x","args":[1e999]}').kind is Kind.RETRY


def test_a_job_that_has_no_place_to_wait_fails(own_registry, caplog):
    @job(name="x", retries=5)
    def fail():
        raise ValueError("no")

    outcome = perform(b'{"class":"x","args":[]}', "\udcff", WORKER)

    assert failure_of(outcome).error == "no"
    assert "cannot be tried again" in caplog.text


def test_a_retry_is_logged_with_its_traceback(own_registry, caplog):
    @job(name="x", retries=5, backoff=[7])
    def fail():
        raise ValueError("no")

    outcome = perform_job("x")

    (record,) = caplog.records
    assert record.getMessage() == "tried again in 7 s: (Job{emails} | x | []) failed in attempt 1"
    assert (record.levelname, record.exc_info[1]) == ("WARNING", outcome.error)


def test_a_retry_that_the_job_just_asked_for_is_logged_without_a_traceback(own_registry, caplog):
    @job(name="x")
    def ask():
        raise Retry(in_=30)

    with caplog.at_level(logging.INFO, "jobqueue"):
        perform_job("x")

    (record,) = caplog.records
    assert record.getMessage() == "tried again in 30 s: (Job{emails} | x | []) asked for it in attempt 1"
    assert (record.levelname, record.exc_info) == ("INFO", None)


# Log lines


def test_log_lines_tell_of_a_job_that_is_done(caplog):
    with caplog.at_level(logging.DEBUG, "jobqueue"):
        perform_text('{"class":"Newsletter","args":["a",1]}')

    lines = ["got: (Job{emails} | Newsletter | ['a', 1])", "done: (Job{emails} | Newsletter | ['a', 1])"]
    assert caplog.messages == lines


def test_a_failure_is_logged_with_its_traceback(caplog):
    outcome = perform_job("BouncingEmailer", "a@example.com")

    (record,) = caplog.records
    assert record.getMessage() == "failed: (Job{emails} | BouncingEmailer | ['a@example.com'])"
    assert (record.name, record.levelname) == ("jobqueue", "ERROR")
    assert record.exc_info[1] is outcome.error


def test_a_quiet_log_gets_no_line_of_a_job_that_is_done(caplog):
    with caplog.at_level(logging.ERROR, "jobqueue"):
        perform_job("Newsletter")

    assert caplog.messages == []


# Signals


@pytest.fixture
def received():
    """Return the list of signals that arrive, by name; ``broken`` in it makes receivers raise."""
    arrived = []

    def started(sender, job, queue, **_):
        arrived.append(("started", sender, job.args, queue))
        raise ValueError("a receiver that fails")

    def finished(sender, job, queue, outcome, **_):
        arrived.append(("finished", sender, job.args, queue, outcome.kind))

    job_started.connect(started)
    job_finished.connect(finished)
    yield arrived
    job_started.disconnect(started)
    job_finished.disconnect(finished)


def test_signals_tell_of_start_and_end_and_no_receiver_stops_a_job(received, done):
    perform_text('{"class":"Newsletter","args":[1]}')
    perform_text('{"class":"BouncingEmailer","args":[2]}')
    perform_text('{"class":"Nobody","args":[3]}')

    assert received == [
        ("started", jobs.newsletter, [1], "emails"),
        ("finished", jobs.newsletter, [1], "emails", Kind.DONE),
        ("started", jobs.bouncing_emailer, [2], "emails"),
        ("finished", jobs.bouncing_emailer, [2], "emails", Kind.FAILED),
    ]
    assert done == [("Newsletter", 1)]


# The database


@pytest.mark.django_db(transaction=True)
def test_a_job_that_leaves_a_transaction_open_fails(define):
    @define
    def leave_open():
        transaction.atomic().__enter__()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    failure = failure_of(perform_job("x"))

    assert failure.error == (
        "x left a transaction open on the database 'default', which was rolled back. "
        "Leave every transaction.atomic() block that a job enters."
    )
    assert not connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_of_a_job_that_raises_the_error_counts_and_not_the_transaction(define):
    @define
    def leave_open():
        transaction.atomic().__enter__()
        raise ValueError("the reason")

    assert failure_of(perform_job("x")).error == "the reason"
    assert not connection.in_atomic_block


def test_a_job_that_uses_no_database_costs_no_look_at_it(monkeypatch):
    monkeypatch.setattr(databases._seen, "may_be_open", False)
    monkeypatch.setattr(databases, "connections", None)

    assert perform_job("Newsletter").kind is Kind.DONE


# Interruptions


def wait_in_vain():
    """Work until interrupted (here: not for long)."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        pass


def test_a_job_that_runs_longer_than_its_timeout_fails_where_it_stood(own_registry, interruption, page):
    job(name="x", timeout=0.01)(wait_in_vain)

    failure = failure_of(perform_job("x"))

    assert failure.exception == "jobqueue.exceptions.JobTimeout"
    assert failure.error == "The job ran longer than its timeout of 0.01 s"
    assert failure.backtrace[0].endswith("in `wait_in_vain'")
    assert page.lanes[0].kill_at == 0


def test_a_job_that_was_interrupted_may_clean_up_and_be_done(own_registry, interruption, page, done):
    def clean_up():
        try:
            wait_in_vain()
        except JobTimeout:
            done.append(page.lanes[0].kill_at > 0)

    job(name="x", timeout=0.01)(clean_up)

    assert perform_job("x").kind is Kind.DONE
    assert done == [True]


def test_hooks_hear_of_a_timeout(own_registry, interruption, done):
    @job(name="x", timeout=0.01)
    class Hooked:
        perform = staticmethod(wait_in_vain)

        @staticmethod
        def on_failure(error):
            done.append(type(error))

    assert failure_of(perform_job("x")).exception == "jobqueue.exceptions.JobTimeout"
    assert done == [JobTimeout]


def test_a_failure_hook_that_takes_too_long_times_out(own_registry, interruption):
    @job(name="x", timeout=0.01)
    class Hooked:
        @staticmethod
        def perform():
            raise ValueError

        @staticmethod
        def on_failure(error):
            wait_in_vain()

    assert failure_of(perform_job("x")).exception == "jobqueue.exceptions.JobTimeout"


def test_after_an_interruption_connections_are_made_anew(own_registry, interruption, redis):
    before = client()
    job(name="x", timeout=0.01)(wait_in_vain)
    job(name="y", timeout=60)(lambda: None)

    perform_job("y")
    assert client() is before
    perform_job("x")
    assert client() is not before


def test_warming_up_leaves_no_trace(caplog, redis):
    caplog.set_level(logging.INFO)

    warm_up()

    assert caplog.messages == []
    assert not interruption.is_open
    assert redis.keys() == []
