from __future__ import annotations

import functools
import operator

import pytest

from jobqueue import registry
from jobqueue.definition import job, resolve
from jobqueue.exceptions import InvalidArguments, InvalidDefinition, UnknownJob
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


def test_calling_a_definition_calls_the_function(done):
    assert jobs.send_email("a@example.com", body="Hello") == "sent to a@example.com"
    assert done == [("send_email", "a@example.com", "", "Hello")]


def test_using_returns_a_changed_copy():
    urgent = jobs.send_email.using(queue="urgent", database="other", on_commit=False)

    assert (urgent.queue, urgent.database, urgent.on_commit) == ("urgent", "other", False)
    assert (jobs.send_email.queue, jobs.send_email.database, jobs.send_email.on_commit) == (
        "emails",
        "default",
        True,
    )
    assert urgent.name == jobs.send_email.name
    assert jobs.send_email.using().queue == "emails"


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
    assert registry.of_class(Monthly).name == "tests.test_definition.Monthly"


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


@pytest.mark.parametrize("target", [jobs.Exporter, "tests.sample.jobs.Exporter"])
def test_a_definition_is_found_by_class_and_by_name(target):
    assert resolve(target) is registry.get("tests.sample.jobs.Exporter")


def test_a_definition_stands_for_itself():
    assert resolve(jobs.send_email) is jobs.send_email


def test_an_unknown_definition_is_refused():
    with pytest.raises(UnknownJob):
        resolve("nobody")


FITTING = [
    ("send_email", ("a",), {}),
    ("send_email", ("a", "b"), {"body": "c"}),
    ("send_email", (), {"to": "a"}),
    ("record", (), {}),
    ("record", (1, 2, 3), {"any": 4}),
    ("nothing", (), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), FITTING)
def test_arguments_that_fit_pass(name, args, kwargs):
    definition = getattr(jobs, name)

    assert definition.arity.check(definition.name, args, kwargs) is None


@pytest.mark.parametrize(
    ("args", "kwargs", "complaint"),
    [
        ((), {}, "missing a required argument: 'to'"),
        (("a", "b", "c"), {}, "too many positional arguments"),
        (("a",), {"to": "b"}, "multiple values for argument 'to'"),
        (("a",), {"cc": "b"}, "got an unexpected keyword argument 'cc'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_the_signature(args, kwargs, complaint):
    with pytest.raises(InvalidArguments) as refused:
        jobs.send_email.enqueue(*args, **kwargs)

    signature = "tests.sample.jobs.send_email(to, subject='', *, body='') cannot be called so: "
    assert str(refused.value) == f"{signature}{complaint}."


def test_a_required_keyword_is_missed():
    @job(name="keyword")
    def keyword(a, *, b): ...

    with pytest.raises(InvalidArguments, match="missing a required .*'b'"):
        keyword.enqueue(1)


def test_a_function_without_signature_takes_anything(monkeypatch):
    definition = job(name="c function")(vars)

    assert definition.arity.signature is None
    assert definition.arity.check("x", (1, 2, 3), {"a": 1}) is None
