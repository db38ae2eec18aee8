from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

import jobqueue
from jobqueue import job, registry, schedule
from jobqueue.exceptions import InvalidArguments, InvalidSchedule
from jobqueue.recurring import BadEntry
from tests.goldenfiles import golden
from tests.sample import jobs


@pytest.fixture
def definitions():
    """Forget the definitions that a test makes."""
    known = dict(registry._by_name)
    yield
    registry._by_name.clear()
    registry._by_name.update(known)


def entry(**config):
    return schedule.checked("each", {"every": "1h", **config}, "settings")


def made(**config):
    return schedule.make(entry(**config))


def problem(settings, **config):
    settings.JOBQUEUE_SCHEDULE = {"each": config}
    found = schedule.static()["each"]
    assert isinstance(found, BadEntry)
    return found.problem


# Where entries come from


def test_a_definition_can_have_a_time(definitions):
    @job(cron="0 8 * * *", queue="reports", missed="skip", name="morning")
    def morning(): ...

    @job(every=timedelta(minutes=5), name="often")
    def often(): ...

    @job(name="never")
    def never(): ...

    found = schedule.static()

    assert (found[morning.name].timing.text, found[morning.name].missed) == ("0 8 * * *", "skip")
    assert found[often.name].timing.every_ms == 300_000
    assert found[often.name].source == "code"
    assert never.name not in found


def test_a_class_can_have_a_time(definitions):
    @job(name="Report")
    class Report:
        queue = "reports"
        every = "1h"

        @staticmethod
        def perform(): ...

    assert schedule.queue_of(schedule.static()["Report"]) == "reports"


def test_a_definition_with_a_bad_time_is_a_bad_entry(definitions):
    @job(cron="nonsense", name="morning")
    def morning(): ...

    @job(every="1h", name="needy")
    def needy(argument): ...

    found = schedule.static()

    assert "cron 'nonsense' cannot be read" in found[morning.name].problem
    assert "needy(argument) cannot be called so" in found[needy.name].problem


def test_a_yaml_file_is_read(settings, tmp_path):
    path = tmp_path / "schedule.yml"
    path.write_text(
        """
        defaults: &low
          queue: low
        clear_contributors:
          cron: "30 6 * * 1"
          class: ClearContributors
          args: contributors
          <<: *low
        QueueDocuments:
          every:
            - 1h
            - :first_in: 5m
          queue: :high
          args:
            :from: :archive
            limit: ":five"
        """
    )
    settings.JOBQUEUE_SCHEDULE_FILE = path

    found = schedule.static()

    assert schedule.make(found["clear_contributors"])[:2] == (
        "low",
        b'{"class":"ClearContributors","args":["contributors"]}',
    )
    assert found["QueueDocuments"].timing.first_in_ms == 300_000
    assert schedule.make(found["QueueDocuments"])[:2] == (
        "high",
        b'{"class":"QueueDocuments","args":[{"from":"archive","limit":":five"}]}',
    )
    assert found["QueueDocuments"].source == "file"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "it cannot be read: [Errno 2]"),
        ("a: [", "it cannot be read: while parsing"),
        ("[" * 5_000, "it cannot be read: maximum recursion"),
        ("- a", "it should be a mapping of names"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_bad_entry(settings, tmp_path, text, problem):
    path = tmp_path / "schedule.yml"
    if text:
        path.write_text(text)
    settings.JOBQUEUE_SCHEDULE_FILE = str(path)
    settings.JOBQUEUE_SCHEDULE = {"good": {"every": "1h", "class": "A", "queue": "q"}}

    found = schedule.static()

    assert problem in found[str(path)].problem
    assert not isinstance(found["good"], BadEntry)


def test_no_file_has_no_entries(settings):
    settings.JOBQUEUE_SCHEDULE_FILE = ""

    assert schedule.static() == {}


def test_a_file_without_the_package_is_a_bad_entry(settings, monkeypatch):
    settings.JOBQUEUE_SCHEDULE_FILE = "schedule.yml"
    monkeypatch.setattr("jobqueue.schedulefile.yaml", None)

    assert "pip install pyyaml" in schedule.static()["schedule.yml"].problem


def test_of_two_of_one_name_the_settings_count(settings, tmp_path, definitions):
    @job(every="1h", name="each")
    def often(): ...

    path = tmp_path / "schedule.yml"
    path.write_text("each: {every: 2h}\nother: {every: 2h, queue: q}")
    settings.JOBQUEUE_SCHEDULE_FILE = path

    assert schedule.static()["each"].timing.every_ms == 7_200_000
    settings.JOBQUEUE_SCHEDULE = {"each": {"every": "3h"}}
    assert schedule.static()["each"].timing.every_ms == 10_800_000


def test_a_fault_that_nobody_has_thought_of_is_a_bad_entry(settings, monkeypatch):
    def read(name, *config, known=schedule.recurring.read):
        return known(name, *config) if name == "good" else 1 / 0

    monkeypatch.setattr(schedule.recurring, "read", read)
    settings.JOBQUEUE_SCHEDULE = dict.fromkeys(["bad", "good"], {"every": "1h", "queue": "q"})

    found = schedule.static()

    assert found["bad"].problem == "ZeroDivisionError: division by zero"
    assert not isinstance(found["good"], BadEntry)


def test_an_entry_of_redis_is_read():
    stored = golden("schedule_dynamic_set")["keys"]["resque:persistent_schedules"]["value"]["send_digest"]

    found = schedule.dynamic({"send_digest": stored.encode(), "bad": b"{", "worse": b"5"})

    assert schedule.make(found["send_digest"]).payload == (
        b'{"class":"Emailer","args":["person@example.com","Sample Subject","Hello there"]}'
    )
    assert "is no JSON" in found["bad"].problem
    assert "5 should be a mapping" in found["worse"].problem


# What can be used


def test_the_queue_is_the_entrys_own_or_the_definitions(settings):
    assert schedule.queue_of(entry(**{"class": "Emailer", "args": [1, 2, 3]})) == "emails"
    assert schedule.queue_of(entry(**{"class": "Emailer", "args": [1, 2, 3], "queue": "high"})) == "high"
    assert "so the entry needs a `queue`" in problem(settings, every="1h")


def test_a_queue_that_no_worker_could_be_told_of_is_refused(settings):
    assert "could not stand in a worker's list" in problem(settings, every="1h", queue="high,low")


def test_what_could_not_be_stored_for_ruby_is_refused(settings):
    since = date(2026, 11, 21)

    said = problem(settings, every="1h", queue="q", persist=True, since=since)

    assert "the entry.since: datetime.date(2026, 11, 21) is no JSON value" in said
    assert entry(queue="q", since=since).config["since"] == since


def test_arguments_have_to_fit_the_definition(settings):
    said = problem(settings, every="1h", **{"class": "Emailer"})

    assert "cannot be called so: missing a required argument: 'to'" in said
    assert entry(every=None, **{"class": "Emailer"}).timing is None


# Jobs


def test_a_bare_job_stands_as_ruby_writes_it():
    static = golden("schedule_static_fired")["keys"]["resque:queue:emails"]["value"]
    config = {"class": "Newsletter", "args": {"section": "front", "limit": 10}}

    assert made(**config) == ("emails", static[1].encode(), "", "")


def test_a_job_of_ours_has_an_id():
    queue, payload, id, digest = made(**{"class": jobs.record.name, "args": [1], "kwargs": {"a": 2}})

    assert json.loads(payload) == {"class": jobs.record.name, "args": [1, {"_kwargs": {"a": 2}}], "id": id}
    assert (queue, digest) == ("default", "")


def test_a_unique_job_has_its_lock(definitions):
    @job(unique="queued", every="1h", name="report")
    def report(): ...

    _, payload, id, digest = schedule.make(schedule.static()[report.name])

    assert json.loads(payload)["unique"] == f"queued:{digest}"


# By hand


def test_an_entry_is_run_by_hand(redis):
    job = schedule.run(entry(every=None, **{"class": jobs.record.name, "queue": "high"}), {})

    assert json.loads(redis.lpop("resque:queue:high")) == {
        "class": jobs.record.name,
        "args": [],
        "id": job.id,
    }


def test_answers_become_keyword_arguments(redis):
    schedule.run(entry(every=None, **{"class": jobs.record.name, "args": ["a"]}), {"limit": "5"})

    assert json.loads(redis.lpop("resque:queue:default"))["args"] == ["a", {"_kwargs": {"limit": "5"}}]


def test_answers_go_into_the_argument_that_is_a_mapping(redis):
    schedule.run(
        entry(every=None, **{"class": "Import", "queue": "q", "args": {"limit": 1, "b": 2}}), {"limit": "5"}
    )
    schedule.run(entry(every=None, **{"class": "Import", "queue": "q"}), {"limit": "5"})

    assert redis.lrange("resque:queue:q", 0, -1) == [
        b'{"class":"Import","args":[{"limit":"5","b":2}]}',
        b'{"class":"Import","args":[{"limit":"5"}]}',
    ]


def test_answers_that_do_not_fit_are_refused():
    with pytest.raises(InvalidArguments, match="cannot be called so"):
        schedule.run(entry(every=None, **{"class": "Emailer"}), {"limit": "5"})


# At run time


def test_an_entry_is_set_as_by_ruby(redis):
    recorded = golden("schedule_dynamic_set")["keys"]["resque:persistent_schedules"]["value"]

    jobqueue.set_schedule("send_digest", {**json.loads(recorded["send_digest"]), "persist": True})

    assert redis.hgetall("resque:persistent_schedules") == {b"send_digest": recorded["send_digest"].encode()}
    assert redis.smembers("resque:schedules_changed") == {b"send_digest"}


def test_an_entry_that_is_set_tells_ruby_the_queue_of_a_job_of_ours(redis):
    jobqueue.set_schedule("each", {"class": jobs.emailer, "cron": "0 8 * * *", "args": [1, 2, 3]})

    assert json.loads(redis.hget("resque:persistent_schedules", "each")) == {
        "class": "Emailer",
        "cron": "0 8 * * *",
        "args": [1, 2, 3],
        "queue": "emails",
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cron": "0 0 LW * *"}, "cannot be read"),
        ({"every": "soon"}, "no length of time"),
        ({"every": "1h"}, "needs a `queue`"),
        ({"every": "1h", "queue": "q", "persist": False}, "no process but this one"),
        ({"every": "1h", "queue": "q", "args": [{1}]}, "no JSON value"),
        ("1h", "'1h' should be a mapping"),
        ({"every": "1h", "class": ["Report"]}, r"class: \['Report'\] should be a text"),
    ],
)
def test_what_would_end_rubys_scheduler_is_not_set(redis, config, message):
    with pytest.raises(InvalidSchedule, match=message):
        jobqueue.set_schedule("each", config)

    assert redis.keys("*") == []


def test_an_entry_is_removed(redis):
    jobqueue.set_schedule("each", {"every": "1h", "queue": "q"})

    assert jobqueue.remove_schedule("each")
    assert not jobqueue.remove_schedule("each")
    assert not redis.exists("resque:persistent_schedules")
