from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from jobqueue import registry
from jobqueue.store import schedule as store
from tests.sample import jobs


@pytest.fixture(autouse=True)
def entries(settings):
    settings.TIME_ZONE = "UTC"
    settings.JOBQUEUE_SCHEDULE = {
        "nightly": {"cron": "0 3 * * *", "class": "Cleanup", "queue": "low", "description": "Clean <up>"},
        "import": {
            "class": jobs.record.name,
            "parameters": {"limit": {"default": 10, "description": "At most"}, "dry": None},
        },
    }


def test_entries_are_listed_by_name(staff):
    text = staff.get("/jobs/schedule/").content.decode()

    assert re.findall(r'href="/jobs/schedule/(\w+)/"', text) == ["import", "nightly"]
    assert "<code>0 3 * * *</code>" in text
    assert "Clean &lt;up&gt;" in text
    assert "only by hand" in text
    assert 'href="/jobs/queues/low/"' in text


def test_an_empty_schedule_tells_where_entries_come_from(staff, settings):
    settings.JOBQUEUE_SCHEDULE = None

    assert b"The schedule has no entries. They come from" in staff.get("/jobs/schedule/").content


def test_what_is_special_about_an_entry_is_shown(staff, settings, redis):
    settings.JOBQUEUE_SCHEDULE["bad"] = {"cron": "61 * * * *"}
    settings.JOBQUEUE_SCHEDULE["nightly"]["env"] = "mars"
    store.put("each", b'{"every":"1h","class":"Report","queue":"q"}')
    store.pause(["each"])
    redis.set("resque:resque:resque_scheduler_master_lock", "localhost:1")

    text = staff.get("/jobs/schedule/").content.decode()

    assert "cannot be used" in text
    assert "&#x27;61&#x27; is no minute, which goes from 0 to 59" in text
    assert "only for mars" in text
    assert "set at run time" in text and "paused" in text
    assert "The scheduler of Ruby at localhost:1 is the master" in text


def test_an_entry_has_a_page_with_its_next_five_runs(staff):
    text = staff.get("/jobs/schedule/nightly/").content.decode()

    assert len(re.findall(r"03:00:00 UTC <span", text)) == 5
    assert "the site’s settings" in text


def test_a_bad_entry_has_a_page(staff, redis):
    redis.hset("resque:persistent_schedules", "bad", b"{")

    assert b"is no JSON" in staff.get("/jobs/schedule/bad/").content


def test_an_unknown_entry_is_told(staff):
    response = staff.get("/jobs/schedule/none/")

    assert response.status_code == 404
    assert b"The schedule has no entry &#x27;none&#x27;" in response.content


@pytest.mark.parametrize("action", ["run", "pause", "resume"])
def test_an_action_leads_back_to_where_its_button_was(staff, action):
    text = staff.get("/jobs/schedule/nightly/").content.decode()
    assert '<input type="hidden" name="next" value="/jobs/schedule/nightly/">' in text

    for back, to in (("/jobs/schedule/nightly/", "/jobs/schedule/nightly/"), ("//evil/", "/jobs/schedule/")):
        assert staff.post(f"/jobs/schedule/nightly/{action}/", {"next": back}).url == to


def test_an_entry_is_run_now(staff, redis):
    response = staff.post("/jobs/schedule/nightly/run/", follow=True)

    assert b"nightly was put on the queue low" in response.content
    assert redis.lrange("resque:queue:low", 0, -1) == [b'{"class":"Cleanup","args":[]}']


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unique": "queued"}, b"each was put on the queue default, unless an equal job was there."),
        (
            {"unique": "queued", "debounce": 60},
            b"each goes to the queue default when its job has not been called for a while.",
        ),
    ],
)
def test_of_a_run_no_more_is_said_than_came_of_it(staff, settings, redis, monkeypatch, options, said):
    definition = registry.get(jobs.record.name)
    monkeypatch.setitem(registry._by_name, jobs.record.name, replace(definition, **options))
    settings.JOBQUEUE_SCHEDULE = {"each": {"class": jobs.record.name}}

    response = staff.post("/jobs/schedule/each/run/", follow=True)

    assert said in response.content


def test_a_run_that_is_refused_since_an_equal_job_is_there_is_said(staff, settings, redis, monkeypatch):
    definition = replace(registry.get(jobs.record.name), unique="queued", on_conflict="raise")
    monkeypatch.setitem(registry._by_name, jobs.record.name, definition)
    settings.JOBQUEUE_SCHEDULE = {"each": {"class": jobs.record.name}}
    staff.post("/jobs/schedule/each/run/", follow=True)

    response = staff.post("/jobs/schedule/each/run/", follow=True)

    assert b"each was put on" not in response.content
    assert b'<li class="error">' in response.content
    assert redis.llen("resque:queue:default") == 1


def test_parameters_are_asked_for(staff, redis):
    text = staff.get("/jobs/schedule/import/run/").content.decode()
    assert 'name="parameter-limit" value="10"' in text
    assert "At most" in text

    # In a transaction of the request, too
    staff.post("/jobs/schedule/import/run/", {"parameter-limit": "5", "parameter-other": "x"})

    job = json.loads(redis.lpop("resque:queue:default"))
    assert job["args"] == [{"_kwargs": {"limit": "5", "dry": ""}}]


def test_answers_that_the_job_does_not_take_are_said(staff, settings, redis):
    settings.JOBQUEUE_SCHEDULE = {"each": {"class": "Emailer", "parameters": {"limit": None}}}

    response = staff.post("/jobs/schedule/each/run/", follow=True)

    assert b"cannot be called so" in response.content
    assert not redis.exists("resque:queue:emails")


def test_an_entry_is_paused_and_resumed(staff, redis):
    response = staff.post("/jobs/schedule/nightly/pause/", follow=True)
    assert b"nightly is paused: its ticks pass" in response.content
    assert b"none while paused" in response.content
    assert redis.smembers("resque:paused_schedule") == {b"nightly"}

    response = staff.post("/jobs/schedule/nightly/resume/", follow=True)
    assert b"nightly goes on with its next tick" in response.content
    assert not redis.exists("resque:paused_schedule")


def test_of_an_entry_of_the_site_only_what_stands_in_redis_is_removed(staff, redis):
    store.put("nightly", b'{"every":"1h","class":"Report","queue":"q"}')

    assert b"will count again" in staff.get("/jobs/schedule/nightly/remove/").content
    response = staff.post("/jobs/schedule/nightly/remove/", follow=True)

    assert b"nightly was removed from Redis; the entry of this name" in response.content
    assert b"0 3 * * *" in response.content


def test_a_pause_of_what_ruby_fires_does_not_promise_too_much(staff, redis):
    store.put("each", b'{"every":"1h","class":"Report","queue":"q"}')
    redis.set("resque:resque:resque_scheduler_master_lock", "localhost:1")

    response = staff.post("/jobs/schedule/each/pause/", follow=True)

    assert b"each is paused, but the scheduler of Ruby that is the master now fires it" in response.content
    assert b"none while paused" not in response.content


def test_an_entry_of_redis_is_removed_after_a_question(staff, redis):
    store.put("each", b'{"every":"1h","class":"Report","queue":"q"}')

    assert b"will be removed from the schedule" in staff.get("/jobs/schedule/each/remove/").content
    assert redis.hexists("resque:persistent_schedules", "each")
    response = staff.post("/jobs/schedule/each/remove/", follow=True)

    assert b"each was removed from the schedule" in response.content
    assert not redis.exists("resque:persistent_schedules")


@pytest.mark.parametrize("url", ["nightly/remove/", "none/run/", "none/pause/", "none/remove/"])
def test_what_cannot_be_done_is_said(staff, redis, url):
    response = staff.post(f"/jobs/schedule/{url}", follow=True)

    assert b"with which this can be done" in response.content
    assert redis.keys("*") == []


def test_an_entry_of_any_name_has_a_page(staff, redis):
    redis.hset("resque:persistent_schedules", b"a/b\xff", b'{"every":"1h","class":"A","queue":"q"}')

    assert 'href="/jobs/schedule/a~2Fb~FF/"' in staff.get("/jobs/schedule/").content.decode()
    assert b"every 1h" in staff.get("/jobs/schedule/a~2Fb~FF/").content
    staff.post("/jobs/schedule/a~2Fb~FF/pause/")
    assert redis.smembers("resque:paused_schedule") == {b"a/b\xff"}


def test_who_may_only_see_is_offered_no_action(reader):
    text = reader.get("/jobs/schedule/").content.decode()

    assert "nightly" in text and "Run now" not in text
    assert "Run now" not in reader.get("/jobs/schedule/nightly/").content.decode()


def test_a_job_that_a_hook_vetoes_is_said(staff, monkeypatch):
    monkeypatch.setattr("jobqueue.views.schedule.run_entry", lambda *_: None)

    response = staff.post("/jobs/schedule/nightly/run/", follow=True)

    assert b"nightly was not enqueued: a before_enqueue hook said no" in response.content
