from __future__ import annotations

import re

import pytest

from jobqueue import delayed
from jobqueue.attempts import Attempt
from jobqueue.inspection import retries as reading
from jobqueue.inspection.delayed import DelayedJob
from jobqueue.inspection.retries import WaitingRetry
from jobqueue.payload import Job, decode, write

GONE = "This job waits no more: it is being tried again, or somebody has removed it meanwhile."
FAILED = Attempt("2026/11/21 00:01:12 UTC", "ValueError", "no")


def wait(redis, name="A", *, moment_ms=4_000_000_000_000, attempts=(FAILED,), queue="q") -> dict[str, object]:
    """Let a job wait, and return the fields of its form."""
    member = delayed.member(write(Job(name, ["x"], id=f"id-{name}", attempts=tuple(attempts))), queue)
    redis.zadd("resque:later", {member: moment_ms})
    waiting = WaitingRetry(delayed=DelayedJob(raw=member, moment_ms=moment_ms))
    return {"moment": moment_ms, "digest": waiting.digest}


def shown(text: str) -> list[str]:
    return re.findall(r'jq-class">(\w+)<', text)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_job_that_is_tried_again_is_shown_with_its_last_error_and_its_next_moment(staff, redis):
    wait(redis, attempts=(Attempt("2026/11/20 10:00:00 UTC", "OSError", "first"), FAILED))

    text = staff.get("/jobs/retries/").content.decode()

    assert shown(text) == ["A"]
    assert '<p class="jq-message"><strong>ValueError</strong> <span>no</span></p>' in text
    assert '<span class="jq-tag jq-tag-warn">attempt 3</span>' in text
    assert "<summary>2 failed attempts</summary>" in text
    assert re.search(r'<time datetime="2096-10-02T07:06:40\+00:00"[^>]*>in [\d,]+ days</time>', text)
    assert '<div class="jq-id">id-A</div>' in text
    assert 'class="jq-tag">q</a>' in text


def test_one_that_no_scheduler_promotes_is_told_of(staff, redis):
    wait(redis, moment_ms=5_000)

    assert "no scheduler has brought it to its queue" in staff.get("/jobs/retries/").content.decode()


def test_the_next_one_comes_first_and_other_delayed_jobs_are_left_out(staff, redis):
    for number, attempts in enumerate([(FAILED,), (), (FAILED,), ()], start=1):
        wait(redis, f"Job{number}", moment_ms=5_000 - number, attempts=attempts)

    assert shown(staff.get("/jobs/retries/").content.decode()) == ["Job3", "Job1"]


def test_without_any_the_page_says_what_stands_here(staff, redis):
    assert (
        b"No job waits to be tried again. Jobs with <code>retries</code>"
        in staff.get("/jobs/retries/").content
    )


def test_twenty_make_a_page_and_the_others_follow(staff, redis):
    for number in range(45):
        wait(redis, f"Job{number}", moment_ms=1_000 + number)

    first = staff.get("/jobs/retries/").content.decode()
    (place,) = re.findall(r'href="\?from=(\d+)"', first)
    second = staff.get(f"/jobs/retries/?from={place}").content.decode()

    assert shown(first) == [f"Job{number}" for number in range(20)]
    assert "Looked through 20 of 45 jobs that wait for their moments." in first
    assert shown(second) == [f"Job{number}" for number in range(20, 40)]
    assert '<a href="/jobs/retries/">Begin with the next one</a>' in second


def test_a_page_looks_through_no_more_than_some(staff, redis, monkeypatch):
    monkeypatch.setattr(reading, "LOOKED_THROUGH_AT_MOST", 3)
    monkeypatch.setattr(reading, "CHUNK", 2)
    for number in range(4):
        wait(redis, f"Job{number}", moment_ms=1_000 + number, attempts=())
    wait(redis, "Last", moment_ms=2_000)

    text = staff.get("/jobs/retries/").content.decode()

    assert "among those looked through" in text
    assert "Looked through 3 of 5 jobs" in text
    assert shown(staff.get("/jobs/retries/?from=3").content.decode()) == ["Last"]


def test_a_job_is_tried_again_at_once(staff, redis):
    fields = wait(redis, queue="emails")

    response = staff.post(
        "/jobs/retries/retry-now/", {**fields, "next": "/jobs/retries/?from=0"}, follow=True
    )

    assert response.redirect_chain == [("/jobs/retries/?from=0", 302)]
    assert said(response) == ["A was put on the queue emails now."]
    (text,) = redis.lrange("resque:queue:emails", 0, -1)
    assert decode(text) == Job("A", ["x"], id="id-A", attempts=(FAILED,))
    assert redis.zcard("resque:later") == 0


def test_a_job_is_removed(staff, redis):
    wait(redis, "Other")
    fields = wait(redis)

    response = staff.post("/jobs/retries/remove/", fields, follow=True)

    assert said(response) == ["A was removed."]
    assert shown(response.content.decode()) == ["Other"]
    assert redis.keys("resque:queue*") == []


@pytest.mark.parametrize("action", ["retry-now", "remove"])
def test_a_job_that_is_tried_again_meanwhile_is_said(staff, redis, action):
    fields = wait(redis)
    redis.delete("resque:later")
    wait(redis, attempts=(FAILED, FAILED))

    response = staff.post(f"/jobs/retries/{action}/", fields, follow=True)

    assert said(response) == [GONE]
    assert redis.zcard("resque:later") == 1


@pytest.mark.parametrize(
    "fields", [{}, {"moment": "-1", "digest": "x"}, {"moment": "9" * 99, "digest": "\x00"}]
)
@pytest.mark.parametrize("action", ["retry-now", "remove"])
def test_a_form_without_sense_changes_nothing(staff, redis, action, fields):
    wait(redis)

    assert staff.post(f"/jobs/retries/{action}/", fields).status_code == 302

    assert redis.zcard("resque:later") == 1


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com", "/jobs/", "javascript:x"])
def test_a_form_never_leads_elsewhere(staff, redis, elsewhere):
    assert staff.post("/jobs/retries/remove/", {"next": elsewhere}).url == "/jobs/retries/"


def test_who_may_only_see_is_offered_nothing(reader, redis):
    wait(redis)

    text = reader.get("/jobs/retries/").content.decode()

    assert shown(text) == ["A"]
    assert "Retry now" not in text


def test_a_key_of_another_type_is_a_line_on_the_page(staff, redis):
    redis.set("resque:later", "no sorted set")

    assert b"resque:later cannot be read" in staff.get("/jobs/retries/").content


def test_a_huge_job_is_named_and_can_be_tried_again(staff, redis, settings):
    settings.JOBQUEUE_MAX_PAYLOAD_BYTES = 50
    fields = wait(redis)

    assert shown(staff.get("/jobs/retries/").content.decode()) == ["A"]

    staff.post("/jobs/retries/retry-now/", fields)
    assert redis.llen("resque:queue:q") == 1


@pytest.mark.parametrize("text", [b"{", b'"attempts":[', b'{"class":1,"attempts":[]}', b'\xff"attempts":['])
def test_what_is_no_retry_is_left_out(staff, redis, text):
    redis.zadd("resque:later", {text: 1})

    assert staff.get("/jobs/retries/").status_code == 200
    assert b"jq-class" not in staff.get("/jobs/retries/").content
