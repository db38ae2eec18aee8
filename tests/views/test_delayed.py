from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from jobqueue.inspection import delayed as reading
from jobqueue.store.delayed import delay, delay_bare
from jobqueue.views import delayed as views
from tests.goldenfiles import load

AT_MS = 1_900_000_000_000
AT = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)


def payload(id, name="A"):
    return f'{{"class":"{name}","args":["{id}"],"id":"{id}"}}'.encode()


def text_of(client, address="/jobs/delayed/"):
    return client.get(address).content.decode()


def shown(text):
    return re.findall(r'jq-call">&quot;(\w+)&quot;<', text)


def said(response):
    return [str(message) for message in response.context["messages"]]


def form(job, **more):
    bare = {"bare": "1"} if job.is_bare else {}
    return {"moment": job.moment_ms, "digest": job.digest, **bare, **more}


def test_nothing_waits(staff):
    assert "No job waits for its moment." in text_of(staff)


def test_both_kinds_are_shown_the_earliest_first(staff, redis):
    delay("later", [payload("b")], AT_MS + 1000)
    delay_bare("rubys", [payload("a"), payload("a")], AT_MS)

    text = text_of(staff)

    assert shown(text) == ["a", "a", "b"]
    assert text.count("in resque-scheduler’s keys</span>") == 2 + 1
    assert '<a href="/jobs/queues/rubys/" class="jq-tag">rubys</a>' in text
    assert "2030-03-17 17:46:41 UTC" in text
    assert "1 delayed job, and those of 1 time in" in text


@pytest.mark.parametrize(("ago", "is_told"), [(timedelta(minutes=5), True), (timedelta(seconds=5), False)])
def test_a_job_that_no_scheduler_promotes_is_told_of(staff, redis, ago, is_told):
    delay("later", [payload("a")], round((datetime.now(UTC) - ago).timestamp() * 1000))

    text = text_of(staff)

    assert ("no scheduler has brought it to its queue" in text) == is_told
    assert shown(text) == ["a"]


def test_rubys_are_shown(staff, redis):
    load(redis, "delayed_several")

    assert text_of(staff).count('<span class="jq-class">Emailer</span>') == 4


def test_pages_follow_each_other(staff, redis):
    delay("q", [payload(f"{number:02}") for number in range(25)], AT_MS)
    delay_bare("q", [payload(f"{number:02}") for number in range(25, 45)], AT_MS)

    address, found = "/jobs/delayed/", []
    for _ in range(3):
        text = text_of(staff, address)
        found.append(shown(text))
        link = re.search(r'href="(\?class=&amp;at=[^"]+)">Later<', text)
        address = "/jobs/delayed/" + (link[1].replace("&amp;", "&") if link else "")

    assert [len(each) for each in found] == [20, 20, 5]
    assert [id for each in found for id in each] == [f"{number:02}" for number in range(45)]
    assert link is None


@pytest.mark.parametrize("begin", ["2030-03-17T17:46:41", "2030-03-17 17:46:41", "2030-03-17T13:46:41-04:00"])
def test_they_are_shown_from_a_moment_on(staff, redis, begin):
    delay("q", [payload("a")], AT_MS)
    delay("q", [payload("b")], AT_MS + 1000)

    response = staff.get("/jobs/delayed/", {"from": begin})

    assert shown(response.content.decode()) == ["b"]


@pytest.mark.parametrize("begin", ["tomorrow", "2030-99-99T00:00", "9999-12-31T23:59", "0001-01-01T00:00"])
def test_what_names_no_moment_breaks_nothing(staff, redis, begin):
    delay("q", [payload("a")], AT_MS)

    assert staff.get("/jobs/delayed/", {"from": begin}).status_code == 200


@pytest.mark.parametrize(
    "query", ["at=x", "at=99999999999999999", "at=5&skip=-1&bare=x", "at=1&skip=99999999999"]
)
def test_a_broken_link_breaks_nothing(staff, redis, query):
    delay("q", [payload("a")], AT_MS)

    assert staff.get(f"/jobs/delayed/?{query}").status_code == 200


def test_a_class_is_looked_for(staff, redis):
    delay("q", [payload("a", "Emailer"), payload("b", "Report")], AT_MS)

    text = text_of(staff, "/jobs/delayed/?class=EMAIL")

    assert shown(text) == ["a"]
    assert "Looked through 2 jobs." in text
    assert "No delayed job of “nobody” waits" in text_of(staff, "/jobs/delayed/?class=nobody")


@pytest.mark.parametrize("put", [delay, delay_bare])
def test_a_job_is_enqueued_now(staff, redis, put):
    put("q", [payload("a"), payload("b")], AT_MS)
    [job] = [each for each in reading.every() if each.job.id == "b"]

    response = staff.post("/jobs/delayed/enqueue/", form(job), follow=True)

    assert said(response) == ["A was put on the queue q."]
    assert redis.lrange("resque:queue:q", 0, -1) == [payload("b")]
    assert shown(response.content.decode()) == ["a"]


@pytest.mark.parametrize("put", [delay, delay_bare])
def test_a_job_is_removed(staff, redis, put):
    put("q", [payload("a"), payload("b")], AT_MS)
    [job] = [each for each in reading.every() if each.job.id == "a"]

    response = staff.post("/jobs/delayed/remove/", form(job), follow=True)

    assert said(response) == ["A was removed."]
    assert shown(response.content.decode()) == ["b"]


def test_of_two_equal_jobs_one_is_removed(staff, redis):
    delay_bare("q", [payload("a"), payload("a")], AT_MS)

    staff.post("/jobs/delayed/remove/", form(reading.earliest(0, 1)[0]))

    assert reading.count() == 1


@pytest.mark.parametrize("action", ["enqueue", "remove"])
@pytest.mark.parametrize("change", [{"moment": AT_MS + 1}, {"digest": "x"}, {"bare": "1"}, {"moment": "x"}])
def test_what_is_gone_or_was_put_off_is_left_alone(staff, redis, action, change):
    delay("q", [payload("a")], AT_MS)
    [job] = reading.earliest(0, 1)

    response = staff.post(f"/jobs/delayed/{action}/", form(job, **change), follow=True)

    assert said(response) == [views.GONE]
    assert reading.count() == 1


def test_a_job_without_a_queue_fails(staff, redis):
    redis.zadd("resque:later", {b'{"class":"A","args":[]}': AT_MS})

    response = staff.post("/jobs/delayed/enqueue/", form(reading.earliest(0, 1)[0]), follow=True)

    assert said(response) == ["A names no queue, and has failed."]
    assert redis.llen("resque:failed") == 1


def test_an_action_returns_to_the_page_of_the_button(staff, redis):
    delay("q", [payload("a")], AT_MS)
    job = form(reading.earliest(0, 1)[0])

    assert (
        staff.post("/jobs/delayed/remove/", {**job, "next": "/jobs/delayed/?at=5"}).url
        == "/jobs/delayed/?at=5"
    )
    assert staff.post("/jobs/delayed/remove/", {**job, "next": "//evil.example/"}).url == "/jobs/delayed/"


def test_all_are_removed_after_a_question(staff, redis):
    load(redis, "delayed_several")
    delay("q", [payload("a")], AT_MS)

    question = text_of(staff, "/jobs/delayed/clear/")
    assert (
        "The one delayed job, and those of 3 times in resque-scheduler’s keys, Ruby’s included, will be"
        in question
    )
    assert reading.count() == 7

    response = staff.post("/jobs/delayed/clear/", follow=True)
    assert said(response) == ["Delayed jobs removed: 7."]
    assert redis.keys("resque:*delayed*") == redis.keys("resque:later") == []


def test_very_many_are_removed_in_steps(staff, redis, monkeypatch):
    monkeypatch.setattr(views, "CLEARED_AT_ONCE", 3)
    delay("q", [payload(number) for number in range(5)], AT_MS)

    again = staff.post("/jobs/delayed/clear/")
    assert b"All 2 delayed jobs" in again.content
    assert staff.post("/jobs/delayed/clear/").url == "/jobs/delayed/"


@pytest.mark.parametrize("name", ["enqueue_delayed", "remove_delayed", "clear_delayed"])
def test_who_may_not_operate_changes_nothing(reader, redis, name):
    delay("q", [payload("a")], AT_MS)
    [job] = reading.earliest(0, 1)

    assert reader.post(reverse(f"jobqueue:{name}"), form(job)).status_code == 403
    assert reading.count() == 1
    text = text_of(reader)
    assert shown(text) == ["a"]
    assert "Enqueue now" not in text and "Remove all" not in text


@pytest.mark.parametrize("name", ["enqueue_delayed", "remove_delayed"])
def test_looking_changes_nothing(staff, redis, name):
    delay("q", [payload("a")], AT_MS)

    assert staff.get(reverse(f"jobqueue:{name}")).status_code == 405
    assert reading.count() == 1


def test_a_job_that_is_overdue_says_so(staff, redis):
    delay("q", [payload("a")], round((datetime.now(UTC) - timedelta(minutes=5)).timestamp() * 1000))

    assert "5 minutes ago" in text_of(staff)
