"""Resque's hooks of class jobs; ``tests.sample.jobs.Hooked`` has some of each kind."""

from __future__ import annotations

import pytest

import jobqueue
from jobqueue import hooks, payload, registry
from jobqueue.attempts import Attempt
from jobqueue.exceptions import InvalidDefinition
from jobqueue.failure import Failure
from jobqueue.outcome import Kind
from jobqueue.payload import Job
from jobqueue.performing import perform
from tests.sample import jobs
from tests.sample.jobs import Hooked

NAME = "tests.sample.jobs.Hooked"


def perform_hooked(*args):
    return perform(payload.write(Job(NAME, list(args))), "hooked", "host:1:hooked")


def ran(done):
    return [name for name, *_ in done]


def test_functions_have_no_hooks():
    assert jobs.nothing.hooks is hooks.NO_HOOKS


def test_hooks_are_sorted_by_name_the_bare_one_first():
    found = registry.get(NAME).hooks

    assert [hook.__name__ for hook in found.before_enqueue] == ["before_enqueue", "before_enqueue_second"]
    assert [hook.__name__ for hook in found.around_perform] == ["around_perform_a", "around_perform_b"]
    assert [hook.__name__ for hook in found.on_failure] == ["on_failure_tell"]


def test_a_hook_that_needs_an_instance_is_refused():
    class Report:
        def before_perform_log(self): ...

    with pytest.raises(
        InvalidDefinition, match=r"Report\.before_perform_log is a hook, and hooks run without"
    ):
        hooks.Hooks.of(Report)


def test_enqueue_hooks_run_around_the_push(redis, done):
    enqueued = jobqueue.enqueue(Hooked, 1)

    assert enqueued.args == [1]
    assert done == [("before_enqueue", 1), ("before_enqueue_second", 1), ("after_enqueue", 1)]


def test_false_of_one_hook_vetoes_an_enqueue_but_all_of_them_run(redis, done):
    Hooked.vetoes = {"before_enqueue"}

    assert jobqueue.enqueue(Hooked, 1) is None
    assert ran(done) == ["before_enqueue", "before_enqueue_second"]
    assert redis.keys() == []


def test_what_before_enqueue_raises_reaches_the_caller_and_ends_it(redis, done):
    Hooked.broken = {"before_enqueue"}

    with pytest.raises(ValueError, match="before_enqueue is broken"):
        jobqueue.enqueue(Hooked, 1)

    assert ran(done) == ["before_enqueue"]
    assert redis.keys() == []


def test_what_after_enqueue_raises_reaches_the_caller_and_the_job_stays(redis, done):
    Hooked.broken = {"after_enqueue"}

    with pytest.raises(ValueError, match="after_enqueue is broken"):
        jobqueue.enqueue(Hooked, 1)

    assert jobqueue.size("hooked") == 1


def test_of_many_calls_the_vetoed_are_left_out(redis, done, monkeypatch):
    monkeypatch.setattr(Hooked, "note", classmethod(lambda cls, hook, number: number != 2))

    enqueued = jobqueue.enqueue_many(Hooked, [(1,), (2,), (3,)])

    assert [job.args for job in enqueued] == [[1], [3]]
    assert jobqueue.size("hooked") == 2


def test_dequeue_hooks_run_even_when_nothing_is_found(redis, done):
    assert jobqueue.dequeue(Hooked, 1) == 0
    assert done == [("before_dequeue", 1), ("after_dequeue", 1)]


def test_false_of_before_dequeue_vetoes_it(redis, done):
    jobqueue.enqueue(Hooked, 1)
    Hooked.vetoes = {"before_dequeue"}

    assert jobqueue.dequeue(Hooked, 1) is None
    assert jobqueue.size("hooked") == 1
    assert "after_dequeue" not in ran(done)


def test_perform_hooks_nest_the_first_around_hook_outermost(done):
    outcome = perform_hooked(1, 2)

    assert outcome.kind is Kind.DONE
    assert done == [
        ("before_perform", 1, 2),
        ("around_perform_a enters", 1, 2),
        ("around_perform_b enters", 1, 2),
        ("perform", 1, 2),
        ("around_perform_b leaves", 1, 2),
        ("around_perform_a leaves", 1, 2),
        ("after_perform", 1, 2),
    ]


def test_dont_perform_in_before_perform_ends_the_job_quietly(done):
    Hooked.vetoes = {"before_perform"}

    assert perform_hooked().kind is Kind.DONE
    assert ran(done) == ["before_perform"]


def test_without_a_call_of_the_inner_part_the_job_does_not_run_but_after_hooks_do(done):
    Hooked.vetoes = {"around_perform_a enters"}

    assert perform_hooked().kind is Kind.DONE
    assert ran(done) == [
        "before_perform",
        "around_perform_a enters",
        "around_perform_a leaves",
        "after_perform",
    ]


@pytest.mark.parametrize(
    "broken",
    ["before_perform", "around_perform_b enters", "perform", "around_perform_a leaves", "after_perform"],
)
def test_whatever_breaks_is_a_failure_told_to_on_failure_once(done, broken):
    Hooked.broken = {broken}

    outcome = perform_hooked("x")

    assert Failure.parse(outcome.failure).error == f"{broken} is broken"
    assert done[-1] == ("on_failure_tell", f"{broken} is broken", "x")
    assert ran(done).count("on_failure_tell") == 1


@pytest.mark.parametrize("place", ["perform", "around_perform_a"])
def test_dont_perform_elsewhere_is_an_ordinary_failure(done, monkeypatch, own_registry, place):
    def refuse(*args):
        raise jobqueue.DontPerform("not now")

    changed = type("Changed", (Hooked,), {place: staticmethod(refuse), "name": "Changed"})
    jobqueue.job(changed)

    outcome = perform(b'{"class":"Changed","args":[]}', "hooked", "host:1:hooked")

    assert Failure.parse(outcome.failure).exception == "jobqueue.exceptions.DontPerform"


def test_an_error_in_on_failure_names_both_errors(done):
    Hooked.broken = {"perform", "on_failure_tell"}

    failure = Failure.parse(perform_hooked(7).failure)

    first, second = failure.error.splitlines()
    assert failure.exception == "RuntimeError"
    assert first == (
        "Additional error (ValueError: on_failure_tell is broken) occurred in running failure hooks for job "
        "tests.sample.jobs.Hooked [7]"
    )
    assert "ValueError: perform is broken" in second
    assert "note'" in failure.backtrace[0]


def test_on_failure_runs_after_each_attempt_but_not_where_the_job_asks_for_the_next(own_registry):
    told = []

    @jobqueue.job(name="Asking", retries=1)
    class Asking:
        @staticmethod
        def perform(error):
            raise jobqueue.Retry if error == "Retry" else ValueError

        @staticmethod
        def on_failure(error, *args):
            told.append(type(error).__name__)

    def kinds(error):
        """Perform a job for the first and for the last time."""
        told.clear()
        first, last = Job("Asking", [error]), Job("Asking", [error], attempts=(Attempt(),))
        outcomes = [perform(payload.write(job), "hooked", "host:1:hooked") for job in (first, last)]
        return [outcome.kind for outcome in outcomes], list(told)

    assert kinds("ValueError") == ([Kind.RETRY, Kind.FAILED], ["ValueError", "ValueError"])
    assert kinds("Retry") == ([Kind.RETRY, Kind.FAILED], ["Retry"])


def test_on_failure_runs_inline_before_the_error_reaches_the_caller(done, settings):
    settings.JOBQUEUE_INLINE = True
    Hooked.broken = {"perform"}

    with pytest.raises(ValueError, match="perform is broken"):
        jobqueue.enqueue(Hooked, 1)

    assert ran(done) == [
        "before_enqueue",
        "before_enqueue_second",
        "before_perform",
        "around_perform_a enters",
        "around_perform_b enters",
        "perform",
        "on_failure_tell",
    ]


def test_a_hook_gets_keyword_arguments_after_the_positional_ones(done):
    payload_text = payload.write(Job(NAME, [1], {"b": 2}))

    perform(payload_text, "hooked", "host:1:hooked")

    assert ("perform", 1, 2) in done
