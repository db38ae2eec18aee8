from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from jobqueue import backoff, delayed, payload
from jobqueue.attempts import Attempt
from jobqueue.exceptions import InvalidPayload, JobTimeout, Retry, TermException
from jobqueue.payload import Job
from jobqueue.retrying import ASKED_AT_MOST, RetryPolicy, decide, later, may_be_retried, reason

THRICE = RetryPolicy(retries=3)
NEW = Job("A", [])
STOP, OPERATOR = TermException("SIGTERM", stops=True), TermException("SIGUSR1")


def tried(times):
    """Return a job that has failed so often."""
    return Job("A", [], attempts=(Attempt(),) * times)


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch):
    monkeypatch.setattr(backoff.random, "uniform", lambda low, high: high)


# Whether


@pytest.mark.parametrize(
    ("policy", "job", "error", "expected"),
    [
        # Resque's way
        (RetryPolicy(), NEW, ValueError(), False),
        (RetryPolicy(retries=0), NEW, ValueError(), False),
        # So often and no more
        (THRICE, NEW, ValueError(), True),
        (THRICE, tried(2), ValueError(), True),
        (THRICE, tried(3), ValueError(), False),
        (THRICE, Job("A", [], attempts=(Attempt(),), attempts_dropped=2), ValueError(), False),
        # Whatever a job raises, its own end by a timeout or a stop included, but not if a person ended it
        (THRICE, NEW, SystemExit(), True),
        (THRICE, NEW, JobTimeout(), True),
        (THRICE, NEW, STOP, True),
        (THRICE, NEW, OPERATOR, False),
        # What is named alone
        (RetryPolicy(3, retry_on=(OSError, KeyError)), NEW, ConnectionError(), True),
        (RetryPolicy(3, retry_on=(OSError, KeyError)), NEW, ValueError(), False),
        (RetryPolicy(3, retry_on=(OSError,)), NEW, JobTimeout(), False),
        (RetryPolicy(3, retry_on=(TermException,)), NEW, OPERATOR, True),
        (RetryPolicy(3, fail_on=(ValueError,)), NEW, UnicodeError(), False),
        (RetryPolicy(3, fail_on=(ValueError,)), NEW, KeyError(), True),
        (RetryPolicy(3, retry_on=(OSError,), fail_on=(ConnectionError,)), NEW, ConnectionError(), False),
        (RetryPolicy(3, fail_on=(JobTimeout,)), NEW, JobTimeout(), False),
        # Who asks for it needs no option, but gets no more than any other
        (RetryPolicy(), NEW, Retry(), True),
        (RetryPolicy(), tried(ASKED_AT_MOST - 1), Retry(), True),
        (RetryPolicy(), tried(ASKED_AT_MOST), Retry(), False),
        (RetryPolicy(retries=0), NEW, Retry(), False),
        (RetryPolicy(100), tried(99), Retry(), True),
        (THRICE, tried(3), Retry(in_=5), False),
        (RetryPolicy(3, retry_on=(OSError,), fail_on=(Exception,)), NEW, Retry(), True),
    ],
)
def test_whether_a_job_is_tried_again(policy, job, error, expected):
    assert may_be_retried(policy, job, error) is expected
    assert (decide(policy, job, error) is not None) is expected


# When


@pytest.mark.parametrize(
    ("given", "job", "seconds"),
    [
        (None, NEW, 30),
        (None, tried(1), 60),
        (None, tried(3), 240),
        (None, tried(9), 15360),
        (None, tried(10), 6 * 3600),
        (None, tried(5000), 6 * 3600),
        ([10, 60.5, timedelta(minutes=5)], NEW, 10),
        ([10, 60.5, timedelta(minutes=5)], tried(1), 60.5),
        ([10, 60.5, timedelta(minutes=5)], tried(2), 300),
        # The last one holds for all further attempts
        ([10, 60.5, timedelta(minutes=5)], tried(7), 300),
        ((0,), tried(2), 0),
        (lambda attempt, error: attempt * 7, tried(1), 14),
        (lambda attempt, error: timedelta(minutes=len(str(error))), NEW, 120),
        # No more, as in Django's own proposal
        (lambda attempt, error: None, NEW, None),
    ],
)
def test_when_a_job_is_tried_again(given, job, seconds):
    assert decide(RetryPolicy(9999, given), job, ValueError("no")) == seconds


def test_the_job_itself_says_when():
    policy = RetryPolicy(3, [10])

    assert decide(policy, NEW, Retry(in_=timedelta(minutes=1))) == 60
    assert decide(policy, NEW, Retry(in_=0)) == 0
    assert decide(policy, NEW, Retry()) == 10


def test_a_function_is_asked_about_the_error_for_which_a_retry_was_raised():
    asked = []
    try:
        try:
            raise ValueError("no")
        except ValueError:
            raise Retry  # noqa: B904 - as users write it
    except Retry as error:
        decide(RetryPolicy(3, lambda attempt, error: asked.append((attempt, repr(error)))), tried(1), error)

    assert asked == [(2, "ValueError('no')")]


@pytest.mark.parametrize("answer", [-1, "soon", float("nan"), True])
def test_a_function_that_gives_no_pause_costs_no_attempt(caplog, answer):
    assert decide(RetryPolicy(3, lambda attempt, error: answer), NEW, ValueError()) == 30
    assert "gave no pause, so the exponential one is taken" in caplog.text
    assert repr(answer) in caplog.text


@pytest.mark.parametrize("error", [KeyError("no"), SystemExit(1)])
def test_neither_does_one_that_breaks(caplog, error):
    def broken(attempt, raised):
        raise error

    assert decide(RetryPolicy(3, broken), NEW, ValueError()) == 30
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_where_no_code_of_the_users_may_run_a_function_is_not_asked():
    policy = RetryPolicy(3, lambda attempt, error: pytest.fail("it was asked"))

    assert decide(policy, NEW, ValueError(), may_call=False) == 30
    assert decide(RetryPolicy(3, [7]), NEW, ValueError(), may_call=False) == 7


def test_jobs_that_failed_together_come_back_one_by_one(monkeypatch):
    monkeypatch.undo()

    pauses = [decide(THRICE, NEW, ValueError()) for _ in range(200)]

    assert all(15 <= pause <= 30 for pause in pauses)
    assert len(set(pauses)) > 100


# Why


def test_the_reason_of_a_retry_is_what_it_was_raised_for():
    cause, context = ValueError("cause"), KeyError("context")
    asked = Retry()
    asked.__context__ = context
    assert reason(asked) is context

    asked.__cause__ = cause
    assert reason(asked) is cause

    asked.__cause__ = None
    asked.__suppress_context__ = True
    assert reason(asked) is asked
    assert str(asked) == "The job asked to be tried again"
    assert reason(context) is context


@pytest.mark.parametrize("in_", [-1, "5", float("inf")])
def test_a_retry_refuses_what_is_no_pause(in_):
    with pytest.raises(ValueError, match="should be a number of seconds or a timedelta"):
        Retry(in_=in_)


# What waits


def test_what_waits_knows_its_queue_and_its_attempts():
    job = Job("A", [1], {"x": 2.5}, id="i", crashes=1, retry_of="h", attempts=(Attempt("t", "E", "e"),))
    text = payload.write(job)

    waits = later(text, "work", job, 1.2345, "ValueError", "no")

    delayed_job = delayed.read(waits.member)
    found = payload.decode(delayed_job.payload)
    assert waits.pause_ms == 1234
    assert (delayed_job.queue, delayed_job.id) == ("work", "i")
    assert [(each.exception, each.error) for each in found.attempts] == [("E", "e"), ("ValueError", "no")]
    assert (found.name, found.args, found.kwargs) == ("A", [1], {"x": 2.5})
    assert (found.id, found.crashes, found.retry_of, found.attempt) == ("i", 1, "h", 3)
    assert list(json.loads(waits.member)) == [
        "class",
        "args",
        "queue",
        "id",
        "attempts",
        "crashes",
        "retry_of",
    ]


def test_counts_of_crashes_are_written_behind_attempts():
    member = later(payload.write(NEW), "work", NEW, 0, "E", "e").member

    again = payload.with_crashes(payload.with_crashes(delayed.read(member).payload, 1), 2)

    assert again.endswith(b'}],"crashes":2}')
    assert again.count(b"crashes") == 1


def test_a_job_without_an_id_gets_one():
    text = b'{"class":"A","args":[1e2],"foreign":{"x":1}}'
    job = payload.decode(text)

    first, second = (later(text, "work", job, 0, "E", "e").member for _ in range(2))

    assert first != second
    fields = json.loads(first)
    assert payload.decode(first).enqueued_at is not None
    assert (fields["args"], fields["foreign"]) == ([100.0], {"x": 1})


def test_what_waits_keeps_every_other_byte():
    """A number that only some libraries can read, say, and spaces."""
    text = b'{"class":"A","args":[1e999, 1.50],"id":"i","crashes":1}'
    job = payload.decode(text)

    found = delayed.read(later(text, "work", job, 0, "E", "e").member).payload

    assert found.startswith(b'{"class":"A","args":[1e999, 1.50],"id":"i","attempts":[{')
    assert found.endswith(b'}],"crashes":1}')


def test_an_error_that_is_no_unicode_is_told_all_the_same():
    member = later(payload.write(NEW), "work", NEW, 0, "E", "half \ud800 a pair").member

    assert payload.decode(member).attempts[0].error == "half ? a pair"


def test_a_queue_whose_name_is_no_unicode_has_no_place_to_wait():
    with pytest.raises(InvalidPayload, match="no valid Unicode"):
        later(payload.write(NEW), "\udcff", NEW, 0, "E", "e")
