from __future__ import annotations

import functools
import operator
from datetime import timedelta

import pytest

from jobqueue import job, registry
from jobqueue.exceptions import InvalidDefinition
from jobqueue.retrying import RetryPolicy
from tests.sample import jobs

pytestmark = pytest.mark.usefixtures("own_registry")


def test_a_bare_decorator_makes_a_definition_named_by_its_place():
    assert jobs.nothing.name == "tests.sample.jobs.nothing"
    assert jobs.nothing.queue == "default"
    assert (jobs.nothing.bare, jobs.nothing.batch, jobs.nothing.on_commit) == (False, True, True)
    assert jobs.nothing.place.startswith("tests.sample.jobs:")


def test_options_are_taken_from_the_decorator():
    assert (jobs.emailer.name, jobs.emailer.queue, jobs.emailer.bare) == ("Emailer", "emails", True)
    assert jobs.alone.batch is False


def test_a_decorated_class_stays_a_class_and_tells_its_options_by_attributes():
    @job
    class Report:
        queue = "reports"
        name = "Report"
        bare = True

        @staticmethod
        def perform(report_id):
            return report_id + 1

    definition = registry.of_class(Report)
    assert isinstance(Report, type)
    assert (definition.name, definition.queue, definition.bare, definition.batch) == (
        "Report",
        "reports",
        True,
        True,
    )
    assert definition(1) == 2


def test_the_decorator_wins_over_attributes_of_a_class():
    @job(queue="urgent", name="Other", batch=False)
    class Report:
        queue = "reports"
        name = "Report"

        @classmethod
        def perform(cls): ...

    definition = registry.get("Other")
    assert (definition.owner, definition.queue, definition.batch) == (Report, "urgent", False)


def test_a_subclass_does_not_inherit_the_name_of_a_job():
    class Report:
        name = "Report"

        @staticmethod
        def perform(): ...

    class Monthly(Report): ...

    Monthly.__qualname__ = "Monthly"
    job(Report)
    job(Monthly)

    assert registry.of_class(Report).name == "Report"
    assert registry.of_class(Monthly).name == "tests.test_defining.Monthly"


@pytest.mark.parametrize("queue", ["", 7, b"emails"])
def test_a_queue_that_is_no_text_is_refused(queue):
    with pytest.raises(InvalidDefinition, match=r"queue=.* should be a text, such as 'emails'"):
        job(queue=queue, name="x")(print)

    with pytest.raises(InvalidDefinition, match=r"queue=.* should be a text, such as 'emails'"):
        jobs.nothing.using(queue=queue)


@pytest.mark.parametrize("queue", ["a,b", " emails", "emails ", "!emails"])
def test_a_queue_that_no_worker_could_list_is_refused(queue):
    with pytest.raises(InvalidDefinition) as refused:
        job(queue=queue, name="x")(print)

    assert f"the queue {queue!r} could not stand in a worker's list" in str(refused.value)


def test_a_queue_that_is_no_unicode_is_refused():
    with pytest.raises(InvalidDefinition, match="is no valid Unicode"):
        job(queue="a\ud800", name="x")(print)


@pytest.mark.parametrize("name", ["", 7, "a\ud800"])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(InvalidDefinition, match="name=.* should be a text, such as 'Emailer'"):
        job(name=name)(print)


def test_a_switch_must_be_true_or_false():
    with pytest.raises(InvalidDefinition, match="batch='no' should be True or False"):
        job(name="x", batch="no")(print)


def test_what_becomes_of_a_job_that_lasts_or_crashes_is_told_by_the_decorator_or_the_class():
    @job(name="Twice", timeout=2.5, on_crash="retry", max_crashes=2)
    def twice(): ...

    @job
    class Report:
        name, timeout, on_crash, max_crashes = "Report", 60, "retry", 5

        @staticmethod
        def perform(): ...

    definition = registry.of_class(Report)
    assert (twice.timeout, twice.on_crash, twice.max_crashes) == (2.5, "retry", 2)
    assert (definition.timeout, definition.on_crash, definition.max_crashes) == (60, "retry", 5)
    assert (jobs.nothing.timeout, jobs.nothing.on_crash, jobs.nothing.max_crashes) == (None, "fail", None)


def test_a_job_may_have_no_timeout_where_others_have_one():
    assert job(name="x", timeout=float("inf"))(print).timeout == float("inf")


@pytest.mark.parametrize("timeout", [0, -1, -0.5, float("nan"), "5", True, b"5", [5]])
def test_a_timeout_that_is_no_time_is_refused(timeout):
    with pytest.raises(InvalidDefinition) as refused:
        job(name="x", timeout=timeout)(print)

    assert f"timeout={timeout!r} should be a number of seconds, more than 0" in str(refused.value)


@pytest.mark.parametrize("on_crash", ["", "Retry", True, 3, ["retry"]])
def test_what_to_do_on_a_crash_is_one_of_two_words(on_crash):
    with pytest.raises(InvalidDefinition, match=r"on_crash=.* should be 'fail' or 'retry'"):
        job(name="x", on_crash=on_crash)(print)


@pytest.mark.parametrize("most", [0, -1, 1.5, "3", True])
def test_a_number_of_crashes_is_a_whole_one(most):
    with pytest.raises(InvalidDefinition, match=r"max_crashes=.* should be a whole number, at least 1"):
        job(name="x", max_crashes=most)(print)


def test_how_often_and_when_a_job_is_tried_again_is_told_by_the_decorator_or_the_class():
    @job(name="Twice", retries=5, backoff=[1, timedelta(minutes=2)], retry_on=OSError, fail_on=[KeyError])
    def twice(): ...

    @job
    class Report:
        name, max_attempts, retry_on = "Report", 3, (OSError, ValueError)

        @staticmethod
        def backoff(attempt, error):
            return 7

        @staticmethod
        def perform(): ...

    report = registry.of_class(Report)
    assert twice.retry_policy == RetryPolicy(5, [1, timedelta(minutes=2)], (OSError,), (KeyError,))
    assert report.retry_policy == RetryPolicy(2, Report.backoff, (OSError, ValueError), ())
    assert jobs.nothing.retry_policy == RetryPolicy(None, None, None, ())


def test_a_job_that_may_begin_anew_after_an_error_may_after_a_crash():
    assert job(name="a", retries=1)(print).on_crash == "retry"
    assert job(name="b", max_attempts=2)(print).on_crash == "retry"
    assert job(name="c", retries=1, on_crash="fail")(print).on_crash == "fail"
    assert job(name="d", retries=0)(print).on_crash == "fail"


@pytest.mark.parametrize("retries", [-1, 1.5, "3", True])
def test_a_number_of_retries_is_a_whole_one(retries):
    with pytest.raises(InvalidDefinition, match=r"retries=.* should be a whole number, 0 or more"):
        job(name="x", retries=retries)(print)


@pytest.mark.parametrize("most", [0, -1, 1.5, "3", True])
def test_a_number_of_attempts_counts_the_first(most):
    with pytest.raises(InvalidDefinition, match=r"max_attempts=.* should be a whole number, at least 1"):
        job(name="x", max_attempts=most)(print)


def test_two_ways_to_say_how_often_may_not_differ():
    assert job(name="x", retries=2, max_attempts=3)(print).retries == 2

    with pytest.raises(InvalidDefinition, match="max_attempts=3 and retries=3 say different things"):
        job(name="y", retries=3, max_attempts=3)(print)


@pytest.mark.parametrize(
    "backoff", [[], "exponential", "", 30, [1, -1], [1, "2"], [None], [True], {}, {1, 2}, iter([1])]
)
def test_a_backoff_that_tells_no_pauses_is_refused(backoff):
    with pytest.raises(InvalidDefinition) as refused:
        job(name="x", retries=1, backoff=backoff)(print)

    assert f"backoff={backoff!r} should be a list of pauses in seconds, such as [10" in str(refused.value)


@pytest.mark.parametrize("kinds", ["OSError", [int], (OSError, "x"), {OSError}, OSError("x"), int])
@pytest.mark.parametrize("option", ["retry_on", "fail_on"])
def test_errors_are_told_by_their_classes(option, kinds):
    with pytest.raises(InvalidDefinition, match=f"{option}=.* should be a tuple of classes of exceptions"):
        job(name="x", retries=1, **{option: kinds})(print)


@pytest.mark.parametrize("option", ["retry_on", "fail_on"])
def test_errors_that_are_worth_a_retry_need_one(option):
    with pytest.raises(
        InvalidDefinition, match=f"{option} tells which errors are worth a retry, but the job"
    ):
        job(name="x", **{option: OSError})(print)


def test_a_lambda_needs_a_name():
    with pytest.raises(InvalidDefinition, match=r"<lambda> is a lambda or stands inside a function"):
        job(lambda: None)

    assert job(name="a lambda")(lambda: 5)() == 5


def test_a_nested_function_needs_a_name():
    def nested(): ...

    with pytest.raises(InvalidDefinition, match="stands inside a function, where no other process finds it"):
        job(nested)


def test_what_has_no_name_of_its_own_needs_one():
    partial = functools.partial(operator.add, 1)

    with pytest.raises(InvalidDefinition, match=r"functools.partial.* has no name of its own; give it one"):
        job(partial)

    assert job(name="add one")(partial)(2) == 3


async def asynchronous_generator():
    yield 1


def generator():
    yield 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (asynchronous_generator, "would only make a generator"),
        (generator, "would only make a generator"),
        (7, "a job calls a function or class, not 7"),
    ],
)
def test_what_a_call_would_not_perform_is_refused(function, reason):
    with pytest.raises(InvalidDefinition, match=reason):
        job(function)


def test_a_class_without_perform_is_refused():
    with pytest.raises(InvalidDefinition, match="Report needs a method `perform`"):

        @job
        class Report: ...
