from __future__ import annotations

import pytest
from django.core import checks
from django.core.checks import Error, Warning

from jobqueue.checks import check_schedule, check_settings
from jobqueue.conf import known_settings


def messages():
    """Return id and text of what the checks find."""
    return [(message.id, message.msg) for message in check_settings(None)]


@pytest.fixture(autouse=True)
def no_redis(settings):
    """Fail where a check asks Redis: nobody answers at this address, and the check would raise."""
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"


def test_defaults_are_in_order(settings):
    del settings.JOBQUEUE_REDIS_URL

    assert messages() == []


def test_the_checks_run_with_djangos_own(settings):
    settings.JOBQUEUE_INLNE = True

    assert "jobqueue.W001" in {message.id for message in checks.run_checks()}


def test_an_unknown_setting_is_a_warning_that_hints_at_the_nearest(settings):
    settings.JOBQUEUE_INTERVAL_SECOND = 5

    (message,) = check_settings(None)

    assert message == Warning(
        "jobqueue has no setting JOBQUEUE_INTERVAL_SECOND.",
        hint="Is JOBQUEUE_INTERVAL_SECONDS meant?",
        id="jobqueue.W001",
    )


def test_an_unknown_setting_that_is_like_none_lists_them_all(settings):
    settings.JOBQUEUE_XYZZY = 5

    (message,) = check_settings(None)

    assert message.hint == f"The settings are {', '.join(sorted(known_settings()))}."


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("JOBQUEUE_INLINE", "yes", "bool"),
        ("JOBQUEUE_MAX_CRASHES", "3", "int"),
        ("JOBQUEUE_MAX_CRASHES", True, "int"),
        ("JOBQUEUE_INTERVAL_SECONDS", "5", "float"),
        ("JOBQUEUE_INTERVAL_SECONDS", False, "float"),
        ("JOBQUEUE_NAMESPACE", 7, "str | None"),
        ("JOBQUEUE_JOB_TIMEOUT_SECONDS", "5", "float | None"),
        ("JOBQUEUE_CAN_VIEW", print, "str"),
    ],
)
def test_a_setting_of_a_wrong_type_is_an_error(settings, name, value, wanted):
    setattr(settings, name, value)

    assert messages() == [("jobqueue.E001", f"{name} should be of the type {wanted}, and is {value!r}.")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOBQUEUE_INTERVAL_SECONDS", 5),
        ("JOBQUEUE_NAMESPACE", None),
        ("JOBQUEUE_INLINE", True),
        ("JOBQUEUE_JOB_TIMEOUT_SECONDS", 5),
        ("JOBQUEUE_JOB_TIMEOUT_SECONDS", None),
    ],
)
def test_a_setting_of_a_right_type_is_accepted(settings, name, value):
    setattr(settings, name, value)

    assert messages() == []


@pytest.mark.parametrize("name", ["JOBQUEUE_CONNECT_TIMEOUT_SECONDS", "JOBQUEUE_JOB_TIMEOUT_SECONDS"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_number_must_be_positive(settings, name, value):
    setattr(settings, name, value)

    assert messages() == [("jobqueue.E002", f"{name} should be more than 0, and is {value!r}.")]


def test_only_a_job_may_take_for_ever(settings):
    settings.JOBQUEUE_JOB_TIMEOUT_SECONDS = float("inf")
    assert messages() == []

    settings.JOBQUEUE_TIMEOUT_GRACE_SECONDS = float("inf")
    assert messages() == [("jobqueue.E002", "JOBQUEUE_TIMEOUT_GRACE_SECONDS should have an end, and is inf.")]


@pytest.mark.parametrize("name", ["JOBQUEUE_SHUTDOWN_TIMEOUT_SECONDS", "JOBQUEUE_TERM_TIMEOUT_SECONDS"])
def test_a_stop_may_take_no_time_as_on_the_command_line(settings, name):
    setattr(settings, name, 0)

    assert messages() == []


def test_replicas_need_not_be_waited_for(settings):
    settings.JOBQUEUE_WAIT_REPLICAS = 0
    assert messages() == []

    settings.JOBQUEUE_WAIT_REPLICAS = -1
    assert messages() == [("jobqueue.E002", "JOBQUEUE_WAIT_REPLICAS should be 0 or more, and is -1.")]


def test_an_enqueue_must_not_wait_longer_for_replicas_than_for_an_answer(settings):
    settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 2.0
    assert messages() == []

    settings.JOBQUEUE_WAIT_REPLICAS = 1
    ((id, text),) = messages()

    assert id == "jobqueue.E006"
    assert text.startswith(
        "JOBQUEUE_WAIT_TIMEOUT_SECONDS (2.0) should be less than JOBQUEUE_SOCKET_TIMEOUT_SECONDS (2.0)"
    )


def test_workers_must_not_be_dead_between_two_heartbeats(settings):
    settings.JOBQUEUE_HEARTBEAT_SECONDS = 20

    ((id, text),) = messages()

    assert id == "jobqueue.E003"
    assert text.startswith(
        "JOBQUEUE_DEAD_AFTER_SECONDS (30.0) should be at least twice JOBQUEUE_HEARTBEAT_SECONDS (20)"
    )


@pytest.mark.parametrize(
    "path", ["nowhere.is_staff", "jobqueue.views.access.nobody", "text", "jobqueue.keys.__doc__"]
)
def test_a_function_that_decides_on_access_must_be_importable(settings, path):
    settings.JOBQUEUE_CAN_OPERATE = path

    assert messages() == [
        (
            "jobqueue.E004",
            f"JOBQUEUE_CAN_OPERATE should be the dotted path of a function (user) -> bool, and is {path!r}.",
        )
    ]


def test_the_address_of_redis_must_be_understood(settings):
    settings.JOBQUEUE_REDIS_URL = "http://localhost"

    ((id, text),) = messages()

    assert id == "jobqueue.E005"
    assert text.startswith("JOBQUEUE_REDIS_URL: ")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("REDIS_URL", "http://localhost", "The environment: 'http://localhost' is no address of a Redis"),
        ("REDIS_PROVIDER", "NOT_SET_URL", "The environment: REDIS_PROVIDER names the variable 'NOT_SET_URL'"),
    ],
)
def test_the_environments_address_of_redis_must_be_understood_too(
    settings, monkeypatch, name, value, complaint
):
    settings.JOBQUEUE_REDIS_URL = None
    monkeypatch.setenv(name, value)

    ((id, text),) = messages()

    assert id == "jobqueue.E005"
    assert text.startswith(complaint)


def test_a_wrong_type_hides_what_follows_from_it(settings):
    settings.JOBQUEUE_HEARTBEAT_SECONDS = "often"

    assert [type(message) for message in check_settings(None)] == [Error]


# The schedule


def test_a_bad_entry_of_the_schedule_is_an_error(settings):
    settings.JOBQUEUE_SCHEDULE = {
        "nightly": {"cron": "61 * * * *", "class": "Cleanup", "queue": "low"},
        "good": {"cron": "1 * * * *", "class": "Cleanup", "queue": "low"},
    }

    (message,) = check_schedule(None)

    assert message.id == "jobqueue.E007"
    assert message.msg.startswith(
        "JOBQUEUE_SCHEDULE: the recurring job 'nightly' cannot be used: cron '61 * * * *' cannot be read: "
        "'61' is no minute, which goes from 0 to 59."
    )


def test_a_file_that_cannot_be_read_is_an_error(settings, tmp_path):
    settings.JOBQUEUE_SCHEDULE_FILE = tmp_path / "none.yml"

    (message,) = check_schedule(None)

    assert message.id == "jobqueue.E007"
    assert message.msg.startswith(
        f"JOBQUEUE_SCHEDULE_FILE: the file '{tmp_path}/none.yml' cannot be used: it cannot be read"
    )


def test_a_schedule_that_is_no_dict_is_an_error(settings):
    settings.JOBQUEUE_SCHEDULE = ["nightly"]

    (message,) = check_schedule(None)

    assert message == Error(
        "JOBQUEUE_SCHEDULE should be a dict of recurring jobs by name, and is ['nightly'].",
        id="jobqueue.E007",
    )


def test_a_field_that_is_none_is_a_warning_that_hints_at_the_nearest(settings):
    settings.JOBQUEUE_SCHEDULE = {"a": {"every": "1h", "que": "low", "queue": "low", "zzz": 1}}

    messages = check_schedule(None)

    assert [(message.id, message.hint) for message in messages[:1]] == [
        ("jobqueue.W002", "Is 'queue' meant?")
    ]
    assert messages[1].hint.startswith("The fields are args, class, cron")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("tests.sample.jobs.recorded", "Is 'tests.sample.jobs.record' meant?"),
        ("elsewhere.nothing", "It should stand in the `jobs` module of an app."),
    ],
)
def test_a_path_of_no_job_is_a_warning(settings, name, hint):
    settings.JOBQUEUE_SCHEDULE = {
        "nightly": {"every": "1h", "class": name, "queue": "low"},
        "of_ruby": {"every": "1h", "class": "Reports::Nightly", "queue": "low"},
        "known": {"every": "1h", "class": "tests.sample.jobs.record"},
    }

    (message,) = check_schedule(None)

    assert (message.id, message.hint) == ("jobqueue.W003", hint)
    assert f"the recurring job 'nightly' is of {name!r}, which no installed app defines" in message.msg


def test_the_schedule_is_checked_with_djangos_own(settings):
    settings.JOBQUEUE_SCHEDULE = {"a": 5}

    assert "jobqueue.E007" in {message.id for message in checks.run_checks()}
