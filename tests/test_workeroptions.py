from __future__ import annotations

import pytest

from jobqueue import registry
from jobqueue.exceptions import InvalidOption, InvalidQueues
from jobqueue.patterns import QueueList
from jobqueue.stopping import StopPlan, StopPlans
from jobqueue.workeroptions import WorkerOptions, read_options

SILENT = {
    "queues": None,
    "count": None,
    "jobs_per_fork": None,
    "threads": None,
    "async": None,
    "interval": None,
    "burst": False,
    "no_scheduler": False,
    "shutdown_timeout": None,
    "term_timeout": None,
    "max_memory": None,
    "pidfile": None,
}


def read(environ=(), **given):
    """Read what a command line and an environment ask for, of the queue ``q`` if neither names one."""
    environ = {"QUEUES": "q", **dict(environ)}
    return read_options({**SILENT, **given}, environ)


def test_without_options_one_worker_stays_for_ever():
    assert read() == WorkerOptions(
        queues=QueueList.parse("q"),
        count=1,
        jobs_per_fork=0,
        interval_seconds=5.0,
        burst=False,
        has_scheduler=True,
        stops=StopPlans(),
        max_memory_mb=0.0,
        pidfile="",
    )


@pytest.mark.parametrize(
    ("environ", "given", "asked"),
    [
        ({"COUNT": "3"}, {}, {"count": 3}),
        ({"COUNT": "3"}, {"count": 2}, {"count": 2}),
        ({"COUNT": ""}, {}, {"count": 1}),
        ({"COUNT": "2.0"}, {}, {"count": 2}),
        ({"INTERVAL": "0.1"}, {}, {"interval_seconds": 0.1}),
        ({"INTERVAL": "7"}, {"interval": 0.5}, {"interval_seconds": 0.5}),
        ({"INTERVAL": "0"}, {}, {"burst": True, "has_scheduler": False, "interval_seconds": 5.0}),  # Resque's
        ({}, {"no_scheduler": True}, {"has_scheduler": False}),
        ({"INTERVAL": "0"}, {"interval": 2.0}, {"burst": False}),
        ({"INTERVAL": "2"}, {"interval": 0.0}, {"burst": True, "has_scheduler": False}),
        ({}, {"burst": True}, {"burst": True, "has_scheduler": False}),
        ({"JOBS_PER_FORK": "9"}, {}, {"jobs_per_fork": 9}),
        ({"JOBS_PER_FORK": "9"}, {"jobs_per_fork": 0}, {"jobs_per_fork": 0}),
        ({"JOBS_PER_FORK": "9", "FORK_PER_JOB": "false"}, {}, {"jobs_per_fork": 9}),
        ({"FORK_PER_JOB": "true"}, {}, {"jobs_per_fork": 1}),
        ({"FORK_PER_JOB": "1"}, {}, {"jobs_per_fork": 1}),
        ({"FORK_PER_JOB": "false"}, {}, {"jobs_per_fork": 0}),
        ({"FORK_PER_JOB": "true"}, {"jobs_per_fork": 5}, {"jobs_per_fork": 5}),
        ({"PIDFILE": "a.pid"}, {}, {"pidfile": "a.pid"}),
        ({"PIDFILE": "a.pid"}, {"pidfile": "b.pid"}, {"pidfile": "b.pid"}),
        ({"MAX_MEMORY": "300"}, {}, {"max_memory_mb": 300.0}),
        ({"MAX_MEMORY": "300"}, {"max_memory": 0.0}, {"max_memory_mb": 0.0}),
    ],
)
def test_the_command_line_goes_before_the_environment(environ, given, asked):
    options = read(environ, **given)

    assert {name: getattr(options, name) for name in asked} == asked


@pytest.mark.parametrize(
    ("environ", "given", "finish", "cleanup"),
    [
        ({}, {}, 25.0, 4.0),
        ({}, {"shutdown_timeout": 0.0, "term_timeout": 0.0}, 0.0, 0.0),
        ({"RESQUE_TERM_TIMEOUT": "2"}, {}, 25.0, 2.0),
        ({"RESQUE_TERM_TIMEOUT": "2"}, {"term_timeout": 3.0}, 25.0, 3.0),
        ({"RESQUE_PRE_SHUTDOWN_TIMEOUT": "9"}, {}, 25.0, 4.0),  # only TERM_CHILD looks at it
    ],
)
def test_the_times_of_a_graceful_stop(environ, given, finish, cleanup):
    assert read(environ, **given).stops == StopPlans(
        graceful=StopPlan(finish_seconds=finish, cleanup_seconds=cleanup)
    )


def test_a_setting_lets_stopped_jobs_fail(settings):
    settings.JOBQUEUE_FAIL_STOPPED_JOBS = True

    assert read().stops.graceful.fails


@pytest.mark.parametrize("value", ["1", "false", ""])
def test_resques_variables_are_switched_on_by_any_value(value):
    stops = read({"TERM_CHILD": value, "GRACEFUL_TERM": value}).stops

    assert stops.term_child == StopPlan(finish_seconds=0.0, cleanup_seconds=4.0, fails=True)
    assert stops.is_term_graceful


def test_resques_timeouts_make_the_plan_of_term_child():
    environ = {"TERM_CHILD": "1", "RESQUE_PRE_SHUTDOWN_TIMEOUT": "5", "RESQUE_TERM_TIMEOUT": "7"}

    assert read(environ).stops.term_child == StopPlan(finish_seconds=5.0, cleanup_seconds=7.0, fails=True)


@pytest.mark.parametrize(
    ("environ", "given", "queues"),
    [
        ({"QUEUES": "a,b"}, None, "a,b"),
        ({"QUEUE": "c"}, None, "c"),
        ({"QUEUES": "a", "QUEUE": "c"}, None, "a"),
        ({"QUEUES": "a", "QUEUE": "c"}, "*,!d", "*,!d"),
    ],
)
def test_queues_are_named_in_three_places(environ, given, queues):
    assert read_options({**SILENT, "queues": given}, environ).queues == QueueList.parse(queues)


@pytest.mark.parametrize("variable", ["QUEUES", "QUEUE"])
def test_the_environment_may_name_weights_too(variable):
    queues = read_options(SILENT, {variable: "high=6,mail-*=1"}).queues

    assert (queues.entries, queues.weights) == (("high", "mail-*"), (6, 1))


def test_an_equals_sign_in_the_queue_of_a_defined_job_is_no_weight(monkeypatch):
    monkeypatch.setattr(registry, "queues", lambda: ["a=b", "c"])

    queues = read_options(SILENT, {}).queues

    assert queues.resolve(["a=b", "c"]) == ["a=b", "c"]
    assert not queues.weights


def test_the_queues_of_the_defined_jobs_are_worked_on_by_themselves():
    assert read_options(SILENT, {}).queues.entries == tuple(registry.queues())


def test_a_site_without_jobs_is_told_what_is_missing(monkeypatch):
    monkeypatch.setattr(registry, "queues", list)

    with pytest.raises(InvalidOption, match="No installed app defines a job.*or name queues with --queues"):
        read_options(SILENT, {})


def test_settings_are_the_defaults(settings):
    settings.JOBQUEUE_INTERVAL_SECONDS = 0.25
    settings.JOBQUEUE_SHUTDOWN_TIMEOUT_SECONDS = 8.0

    assert read().interval_seconds == read({"INTERVAL": "0"}).interval_seconds == 0.25
    assert read().stops.graceful.finish_seconds == 8.0


@pytest.mark.parametrize(
    ("environ", "given", "complaint"),
    [
        ({"COUNT": "many"}, {}, "COUNT='many' is no number; set it to one, or unset it."),
        ({"COUNT": "1.5"}, {}, "COUNT='1.5' is no whole number."),
        ({"COUNT": "inf"}, {}, "COUNT='inf' is no number; set it to one, or unset it."),
        ({"JOBS_PER_FORK": "nan"}, {}, "JOBS_PER_FORK='nan' is no number; set it to one, or unset it."),
        ({"INTERVAL": "1s"}, {}, "INTERVAL='1s' is no number; set it to one, or unset it."),
        ({"COUNT": "0"}, {}, "--count is 0; it must be at least 1."),
        ({}, {"jobs_per_fork": -1}, "--jobs-per-fork is -1; it must be at least 0."),
        ({}, {"interval": -0.5}, "--interval is -0.5; it must be at least 0."),
        ({}, {"interval": float("nan")}, "--interval is nan; it must be at least 0, and have an end."),
        (
            {},
            {"shutdown_timeout": float("inf")},
            "--shutdown-timeout is inf; it must be at least 0, and have an end.",
        ),
        ({}, {"shutdown_timeout": -1.0}, "--shutdown-timeout is -1.0; it must be at least 0."),
        ({}, {"term_timeout": -1.0}, "--term-timeout is -1.0; it must be at least 0."),
        ({}, {"max_memory": -1.0}, "--max-memory is -1.0; it must be at least 0."),
        (
            {"RESQUE_PRE_SHUTDOWN_TIMEOUT": "-1"},
            {},
            "RESQUE_PRE_SHUTDOWN_TIMEOUT is -1.0; it must be at least 0.",
        ),
    ],
)
def test_wrong_options_are_refused_with_the_reason(environ, given, complaint):
    with pytest.raises(InvalidOption) as refused:
        read(environ, **given)

    assert str(refused.value) == complaint


def test_a_list_that_names_no_queue_is_refused():
    with pytest.raises(InvalidQueues, match="'!low' names no queue to look at"):
        read(queues="!low")
