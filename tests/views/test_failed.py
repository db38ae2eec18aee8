from __future__ import annotations

import re

import pytest

from jobqueue import failure
from jobqueue.attempts import KEPT, Attempt
from jobqueue.failure import Failure
from jobqueue.payload import Job, encode
from tests.goldenfiles import load


def fail(redis, name: str = "A", queue: str = "q", error: str = "", exception: str = "E", **fields) -> str:
    """Add a failure, of a job with further ``fields``, and return its digest."""
    entry = failure.entry(
        encode(Job(name, ["x"], **fields)),
        exception=exception,
        error=error,
        backtrace=["/site-packages/lib.py:1:in `inner'", "/srv/jobs.py:2:in `outer'"],
        worker="h:1:q",
        queue=queue,
    )
    redis.rpush("resque:failed", entry)
    return Failure.parse(entry).digest


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_failure_is_shown_with_the_line_where_it_happened(staff, redis):
    fail(redis, error="it broke")

    text = staff.get("/jobs/failed/").content.decode()

    assert '<code class="jq-place">/srv/jobs.py:2:in `outer&#x27;</code>' in text
    assert "it broke" in text
    assert "Traceback, 2 lines" in text


def test_a_failure_names_its_job_by_id(staff, redis):
    fail(redis, id="5NB2B0PWM1sBuXzzziyyVJ")

    assert '<div class="jq-id">5NB2B0PWM1sBuXzzziyyVJ</div>' in staff.get("/jobs/failed/").content.decode()


def test_a_failure_shows_every_attempt(staff, redis):
    attempts = [Attempt("2026/11/21 00:01:12 UTC", f"Error{number}", f"no {number}") for number in (1, 2)]
    fail(redis, exception="Error3", error="no 3", id="i", attempts=attempts)

    text = staff.get("/jobs/failed/").content.decode()

    assert "<summary>2 earlier attempts</summary>" in text
    assert '<ol class="jq-attempts" start="1">' in text
    assert re.findall(r"<strong>(Error\d)</strong> <span>(no \d)</span>", text) == [
        *(("Error3", "no 3"), ("Error1", "no 1"), ("Error2", "no 2"))
    ]
    assert '<span class="jq-tag jq-tag-warn">attempt 3</span>' in text


def test_of_very_many_attempts_the_last_are_shown(staff, redis):
    attempts = [Attempt(error="no")] * KEPT
    fail(redis, attempts=attempts, attempts_dropped=1_000)

    text = staff.get("/jobs/failed/").content.decode()

    assert "1,025 earlier attempts, the last 25 of them" in text
    assert '<ol class="jq-attempts" start="1001">' in text


def test_rubys_failures_are_shown(staff, redis):
    load(redis, "failure_retried")

    text = staff.get("/jobs/failed/").content.decode()

    assert text.count("<strong>ArgumentError</strong>") == 3
    assert text.count("retried <time") == 1


def test_twenty_failures_make_a_page_newest_first(staff, redis):
    for n in range(45):
        fail(redis, f"Job{n}")

    def names(page):
        return re.findall(r'jq-class">(\w+)<', staff.get(f"/jobs/failed/?page={page}").content.decode())

    assert names(1) == [f"Job{n}" for n in range(44, 24, -1)]
    assert names(3) == [f"Job{n}" for n in range(4, -1, -1)]
    assert b"Go to the last one" in staff.get("/jobs/failed/?page=4").content


def test_a_class_is_looked_for(staff, redis):
    fail(redis, "Emailer")
    fail(redis, "Report")

    text = staff.get("/jobs/failed/?class=email").content.decode()

    assert "Emailer" in text and "Report" not in text
    assert "Looked through 2 of 2 failures" in text


def test_a_class_that_did_not_fail_is_said(staff, redis):
    fail(redis)

    assert "No failure of “zzz” in the list" in staff.get("/jobs/failed/?class=zzz").content.decode()


def test_retry_enqueues_and_returns_to_the_page(staff, redis):
    digest = fail(redis)

    response = staff.post(
        "/jobs/failed/retry/", {"index": 0, "digest": digest, "next": "/jobs/failed/?page=2"}, follow=True
    )

    assert response.redirect_chain == [("/jobs/failed/?page=2", 302)]
    assert said(response) == ["A was put on the queue q again."]
    assert redis.llen("resque:queue:q") == 1


def test_retry_of_an_unreadable_failure_is_refused_with_the_reason(staff, redis):
    redis.rpush("resque:failed", b"{broken")
    digest = Failure.parse(b"{broken").digest

    response = staff.post("/jobs/failed/retry/", {"index": 0, "digest": digest}, follow=True)

    assert said(response)[0].startswith("this failure cannot be retried: ")
    assert redis.keys("resque:queue*") == []


def test_a_huge_failure_is_named_and_can_be_retried(staff, redis, settings):
    settings.JOBQUEUE_MAX_PAYLOAD_BYTES = 200
    digest = fail(redis, error="x" * 400)

    text = staff.get("/jobs/failed/").content.decode()
    assert '<span class="jq-class">A</span>' in text
    assert "too large to be read here" in text
    assert f'id="retry-{digest}"' in text
    assert "1 failure" in staff.get("/jobs/failed/?class=a").content.decode()

    staff.post("/jobs/failed/retry/", {"index": 0, "digest": digest})
    assert redis.llen("resque:queue:q") == 1


@pytest.mark.parametrize("action", ["retry", "remove"])
def test_a_failure_that_is_gone_is_said(staff, redis, action):
    digest = fail(redis)
    redis.delete("resque:failed")
    other = fail(redis, "Another")

    response = staff.post(f"/jobs/failed/{action}/", {"index": 0, "digest": digest}, follow=True)

    assert said(response) == ["This failure is gone: someone else has removed or retried it meanwhile."]
    assert redis.llen("resque:failed") == 1
    assert f"failure-{other}" in response.content.decode()


def test_remove_takes_the_entry_that_was_seen_though_the_list_has_moved(staff, redis):
    fail(redis, "First")
    seen = fail(redis, "Second")
    fail(redis, "Third")
    redis.lpop("resque:failed")

    staff.post("/jobs/failed/remove/", {"index": 1, "digest": seen})

    names = [Failure.parse(raw).job.name for raw in redis.lrange("resque:failed", 0, -1)]
    assert names == ["Third"]


@pytest.mark.parametrize(
    "fields", [{}, {"index": "-1", "digest": "x"}, {"index": "x" * 99, "digest": "\x00"}]
)
def test_a_form_without_sense_changes_nothing(staff, redis, fields):
    fail(redis)

    assert staff.post("/jobs/failed/remove/", fields).status_code == 302

    assert redis.llen("resque:failed") == 1


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com", "/jobs/", "javascript:x"])
def test_a_form_never_leads_elsewhere(staff, redis, elsewhere):
    response = staff.post("/jobs/failed/remove/", {"next": elsewhere})

    assert response.url == "/jobs/failed/"


def test_all_are_retried_except_those_without_a_job(staff, redis):
    fail(redis)
    redis.rpush("resque:failed", b"{broken")

    response = staff.post("/jobs/failed/retry-all/", follow=True)

    assert said(response) == [
        "1 failure was retried.",
        "Left as they are, because they hold no job: 1.",
    ]


def test_too_many_for_one_request_are_retried_step_by_step(staff, redis, monkeypatch):
    fail(redis)
    monkeypatch.setattr("jobqueue.views.failed.RETRYING_SECONDS", -1)

    response = staff.post("/jobs/failed/retry-all/", follow=True)

    assert response.redirect_chain == [("/jobs/failed/retry-all/?start=0", 302)]
    assert b"Go on with the remaining" in staff.get("/jobs/failed/retry-all/?start=1").content


def test_retried_ones_are_cleared(staff, redis):
    load(redis, "failure_retried")

    response = staff.post("/jobs/failed/clear-retried/", follow=True)

    assert said(response) == ["1 retried failure was removed."]
    assert redis.llen("resque:failed") == 3


def test_all_are_cleared(staff, redis):
    fail(redis)

    response = staff.post("/jobs/failed/clear/", follow=True)

    assert said(response) == ["All failures were removed."]
    assert redis.llen("resque:failed") == 0
    assert b"Nothing has failed" in response.content
