from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from jobqueue import recurring
from jobqueue.exceptions import InvalidSchedule
from jobqueue.recurring import Parameter

from .goldenfiles import golden


def _read(name="nightly", **config):
    return recurring.read(name, config, UTC, "settings")


def test_an_entry_of_resque_scheduler_is_read():
    entry = _read(
        cron="0 3 * * *",
        **{"class": "Cleanup", "queue": "low", "args": ["logs", {"keep": 7}], "description": "Clean up"},
    )

    assert (entry.job, entry.queue, entry.args) == ("Cleanup", "low", ["logs", {"keep": 7}])
    assert (entry.description, entry.missed, entry.kwargs) == ("Clean up", "run-once", {})
    assert entry.timing.text == "0 3 * * *"


def test_the_name_stands_for_a_class_that_is_not_named():
    assert _read("Cleanup", every="1h").job == "Cleanup"
    assert _read("Cleanup").queue is None


@pytest.mark.parametrize(
    ("given", "args"),
    [
        ({}, []),
        ({"args": None}, []),
        ({"args": False}, []),
        ({"args": [1, 2]}, [1, 2]),
        ({"args": "contributors"}, ["contributors"]),
        ({"args": {"section": "front"}}, [{"section": "front"}]),
        ({"args": 0}, [0]),
        ({"args": [None]}, [None]),
    ],
)
def test_arguments_are_read_as_by_ruby(given, args):
    assert _read(**given).args == args


def test_a_custom_class_is_what_is_enqueued():
    assert _read(**{"class": "Report", "custom_job_class": "Tracked"}).job == "Tracked"
    assert _read(**{"class": "Report", "custom_job_class": "Resque::Job"}).job == "Report"


@pytest.mark.parametrize("field", ["env", "rails_env"])
def test_an_entry_counts_in_its_environments(field):
    entry = _read(**{field: "staging, production"})

    assert entry.is_in("production") and entry.is_in("staging")
    assert not entry.is_in("development")
    assert _read().is_in("development")


def test_names_may_begin_with_a_colon_as_in_yaml_of_ruby():
    entry = _read(**{":class": "Report", ":every": ["1h", {":first_in": "5m"}], ":queue": "low"})

    assert (entry.job, entry.queue, entry.timing.first_in_ms) == ("Report", "low", 300_000)


def test_parameters_are_read():
    entry = _read(
        parameters={"limit": {"description": "How many", "default": 10}, "dry": None, "a": {"default": ""}}
    )

    assert entry.parameters == (Parameter("limit", "How many", "10"), Parameter("dry"), Parameter("a"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"queue": 3}, "queue: 3 should be a text"),
        ({"class": ["A"]}, "class: ['A'] should be a text"),
        ({"class": "\ud800"}, "class: '\\ud800' is no valid Unicode"),
        ({"args": [datetime(2026, 1, 1)]}, "args[0]: datetime"),
        ({"kwargs": [1]}, "kwargs: [1] should be a mapping of names"),
        ({"kwargs": {"a": {1, 2}}}, "kwargs.a: {1, 2} is no JSON value"),
        ({"missed": "always"}, "missed: 'always' should be 'run-once' or 'skip'"),
        ({"parameters": {"limit": 3}}, "parameters.limit: 3 should be a mapping"),
        ({"parameters": {"a": {"default": "\ud800"}}}, "parameters[2]: '\\ud800' is no valid Unicode"),
        ({"cron": "nonsense"}, "cron 'nonsense' cannot be read"),
    ],
)
def test_a_bad_entry_is_refused(config, message):
    with pytest.raises(InvalidSchedule) as refusal:
        _read(**config)

    assert message in str(refusal.value)


def test_what_is_no_mapping_is_refused():
    with pytest.raises(InvalidSchedule, match="'0 3 \\* \\* \\*' should be a mapping"):
        recurring.read("nightly", "0 3 * * *", UTC, "settings")


def test_a_configuration_is_stored_as_ruby_stores_it():
    stored = golden("schedule_dynamic_set")["keys"]["resque:persistent_schedules"]["value"]["send_digest"]

    config = {**json.loads(stored), "persist": True}

    assert recurring.persistent(config) == stored.encode()


def test_what_would_end_rubys_scheduler_is_stored_in_another_form():
    config = {"every": 90, "class": "Report", "args": "a", "kwargs": {"limit": 1}}

    stored = json.loads(recurring.persistent(config))

    assert stored == {"every": "90s", "class": "Report", "args": ["a", {"_kwargs": {"limit": 1}}]}
    paced = recurring.persistent({"every": [timedelta(hours=1), {":first_in": 5}]})
    assert json.loads(paced) == {"every": ["3600s", {"first_in": "5s"}]}


@pytest.mark.parametrize("every", [None, "", "soon", [], 5])
def test_a_length_of_time_that_does_not_count_is_stored_as_it_is(every):
    config = {"cron": "0 8 * * *", "every": every}

    assert json.loads(recurring.persistent(config)) == config


def test_what_is_no_json_is_not_stored():
    with pytest.raises(InvalidSchedule, match=r"entry.description: \{1\} is no JSON"):
        recurring.persistent({"every": "1h", "description": {1}})
