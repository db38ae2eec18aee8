from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from tests.sample import jobs


@pytest.fixture
def run(redis, settings, capsys):
    settings.TIME_ZONE = "UTC"
    settings.JOBQUEUE_SCHEDULE = {
        "nightly": {"cron": "0 3 * * *", "class": "Cleanup", "queue": "low", "description": "Clean up"},
        "import": {"class": jobs.record.name, "parameters": {"limit": {"default": 10}, "dry": None}},
        "bad": {"cron": "nonsense"},
    }

    def run(*words):
        call_command("jobschedule", *words)
        return capsys.readouterr().out

    return run


def test_all_entries_are_listed(run):
    head, *lines = run().splitlines()

    assert head.split() == ["NAME", "WHEN", "QUEUE", "LAST", "RUN", "NEXT", "RUN"]
    assert [line.split()[0] for line in lines] == ["bad", "import", "nightly"]
    assert "bad: cron 'nonsense' cannot be read" in lines[0]
    assert lines[2].startswith("nightly  0 3 * * *  low")
    assert lines[2].endswith("03:00:00 UTC")


def test_an_empty_schedule_is_told(run, settings):
    settings.JOBQUEUE_SCHEDULE = {}

    assert run("list") == "The schedule has no entries.\n"


def test_a_name_that_is_no_text_has_no_effect_on_the_terminal(run, redis):
    redis.hset("resque:persistent_schedules", b"\x1b[31m\xff", b'{"class":"Report","queue":"q"}')

    lines = run().splitlines()

    assert lines[1].startswith(r"\x1b[31m\xff")


def test_one_entry_is_shown_with_its_next_five_runs(run):
    lines = run("show", "nightly").splitlines()

    assert lines[:3] == ["nightly: 0 3 * * *", "Clean up", "Job: Cleanup, in the queue low"]
    assert lines[3] == "Last run: never"
    assert sum(line.startswith("Next run: ") for line in lines) == 5


def test_a_bad_entry_is_shown_with_its_problem_once(run):
    said = run("show", "bad")

    assert said.count("cron 'nonsense' cannot be read") == 1
    assert said.splitlines()[1:] == ["Last run: never", "Next run: never"]


def test_an_entry_is_paused_and_resumed(run, redis):
    run("pause", "nightly")
    assert redis.smembers("resque:paused_schedule") == {b"nightly"}
    listed = run("list").splitlines()[3]
    assert " ".join(listed.split()).endswith("low never never paused")
    shown = run("show", "nightly")
    assert "It is paused." in shown
    assert shown.count("Tick that passes: ") == 5

    run("resume", "nightly")
    assert not redis.exists("resque:paused_schedule")


def test_an_entry_is_run_with_the_defaults_of_its_parameters(run, redis):
    said = run("run", "import")

    job = json.loads(redis.lpop("resque:queue:default"))
    assert job["args"] == [{"_kwargs": {"limit": "10", "dry": ""}}]
    assert said == f"import was put on the queue default; its id is {job['id']}.\n"


def test_an_entry_is_run_with_answers(run, redis):
    run("run", "import", "limit=5", "dry=a=b")

    job = json.loads(redis.lpop("resque:queue:default"))
    assert job["args"] == [{"_kwargs": {"limit": "5", "dry": "a=b"}}]


def test_an_entry_is_set_and_removed(run, redis):
    run("set", "each", '{"every":"1h","class":"Report","queue":"q"}')
    assert redis.hgetall("resque:persistent_schedules") == {
        b"each": b'{"every":"1h","class":"Report","queue":"q"}'
    }

    assert run("remove", "each") == "each was removed from the schedule.\n"
    assert not redis.exists("resque:persistent_schedules")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "none"], "The schedule has no entry 'none'"),
        (["pause", "none"], "The schedule has no entry 'none'"),
        (["run", "bad"], "bad cannot be used"),
        (["run", "import", "limit"], "'limit' should be like limit=10"),
        (["set", "each", "{"], "'{' is no JSON"),
        (["set", "each", "[]"], "'[]' should be an object"),
        (["set", "each", '{"cron":"x"}'], "cron 'x' cannot be read"),
        (["set", "each", '{"evry":"1h","queue":"q"}'], "'evry' is no field of an entry. Is 'every' meant?"),
        (["remove", "nightly"], "No entry 'nightly' was set at run time"),
    ],
)
def test_what_cannot_be_done_is_said(run, words, message):
    with pytest.raises(CommandError) as error:
        run(*words)

    assert message in str(error.value)


def test_redis_that_is_away_is_said(run, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"

    with pytest.raises(CommandError, match=r"127\.0\.0\.1:1"):
        run()


def test_a_job_that_a_hook_vetoes_is_said(run, monkeypatch):
    monkeypatch.setattr("jobqueue.schedule.run", lambda *_: None)

    assert run("run", "import") == "import was not enqueued: a before_enqueue hook said no.\n"


def test_a_key_of_another_type_is_told_of(run, redis, capsys):
    redis.set("resque:fired", "something else")

    call_command("jobschedule")

    assert "resque:fired cannot be read" in capsys.readouterr().err
