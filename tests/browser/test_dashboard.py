"""The dashboard in a browser: every page in light, dark and on a phone, its live updates and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, expect

from jobqueue.inspection import failures
from tests.browser.conftest import DESK, PHONE, Visitor
from tests.browser.seeding import NOW_WORKING, seed

pytestmark = pytest.mark.browser

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": DESK},
    "dark": {"color_scheme": "dark", "viewport": DESK},
    "phone": {"color_scheme": "light", "viewport": PHONE},
}
PAGES = {
    "overview": "",
    "working": "working/",
    "failed": "failed/",
    "failed-of-a-class": "failed/?class=bounc",
    "retry-all": "failed/retry-all/",
    "clear": "failed/clear/",
    "retries": "retries/",
    "delayed": "delayed/",
    "delayed-of-a-class": "delayed/?class=report",
    "clear-delayed": "delayed/clear/",
    "schedule": "schedule/",
    "entry": "schedule/send_digest/",
    "run-entry": "schedule/import_products/run/",
    "remove-entry": "schedule/send_digest/remove/",
    "queues": "queues/",
    "queue": "queues/reports/",
    "queue-in-pages": "queues/images/?page=7",
    "remove-queue": "queues/reports/remove/",
    "workers": "workers/",
    "worker": f"workers/{NOW_WORKING}/",
    "prune-worker": "workers/app3.example.com:77:reports,search,critical/prune/",
    "prune-silent": "workers/prune/",
    "stats": "stats/",
    "redis": "stats/redis/",
    "keys": "stats/keys/",
    "key": "stats/keys/resque:queue:emails/",
    "locks": "stats/locks/",
}
LIVE_TIMEOUT_MS = 10_000


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor], redis: Any) -> Visitor:
    """A member of the staff before a busy site."""
    seed(redis)
    return new_visitor()


def waiting(visitor: Visitor) -> Locator:
    """Return the big number of waiting jobs."""
    return visitor.page.locator(".jq-figures strong").first


def live_state(visitor: Visitor) -> Locator:
    return visitor.page.locator("#jq-live-state")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_complete_and_fits_its_window(new_visitor, redis, look):
    seed(redis)
    visitor = new_visitor(**LOOKS[look])

    for name, path in PAGES.items():
        visitor.visit(f"/jobs/{path}")
        visitor.screenshot(f"dashboard-{look}-{name}")
        too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert visitor.page.evaluate(too_wide) <= 0, name
        expect(visitor.page.locator("h1")).to_be_visible()


def test_an_empty_site_tells_what_to_do(new_visitor, redis):
    visitor = new_visitor()

    visitor.visit("/jobs/")

    expect(visitor.page.get_by_text("No worker is running")).to_be_visible()
    visitor.screenshot("dashboard-empty")


def test_tabs_and_links_lead_through_the_pages(visitor):
    visitor.visit("/jobs/")

    for tab in (
        "Working",
        "Failed",
        "Retries",
        "Delayed",
        "Schedule",
        "Queues",
        "Workers",
        "Stats",
        "Overview",
    ):
        visitor.page.locator(".jq-tabs").get_by_role("link", name=tab).click()
        expect(visitor.page.locator("h1")).to_have_text(tab)
    visitor.page.get_by_role("link", name="webhooks/outgoing").click()
    expect(visitor.page.locator("h1")).to_have_text("webhooks/outgoing")
    visitor.page.go_back()
    visitor.page.get_by_role("link", name="web1:4711").click()
    expect(visitor.page.locator("h1")).to_have_text("Worker web1:4711")


def test_the_theme_can_be_chosen(visitor):
    visitor.visit("/jobs/")

    visitor.page.locator(".theme-toggle").click()

    expect(visitor.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_numbers_follow_without_a_reload(visitor, redis):
    visitor.visit("/jobs/")
    expect(waiting(visitor)).to_have_text("1,281")

    redis.rpush("resque:queue:emails", b'{"class":"A","args":[]}')

    expect(waiting(visitor)).to_have_text("1,282", timeout=LIVE_TIMEOUT_MS)


def test_a_pause_stops_the_updates_and_is_remembered(visitor, redis):
    visitor.visit("/jobs/")
    visitor.page.get_by_role("button", name="Pause").click()
    expect(live_state(visitor)).to_have_text("Paused")
    visitor.page.reload()
    expect(live_state(visitor)).to_have_text("Paused")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    redis.rpush("resque:queue:emails", "x")

    visitor.page.wait_for_timeout(2_500)  # Longer than the time between two updates.

    assert asked == []
    visitor.page.get_by_role("button", name="Resume").click()
    expect(waiting(visitor)).to_have_text("1,282", timeout=LIVE_TIMEOUT_MS)
    expect(live_state(visitor)).to_have_text("Live")


def test_what_is_folded_open_stays_open(visitor, redis):
    visitor.visit("/jobs/failed/")
    traceback = visitor.page.locator("details", has_text="Traceback").nth(1)
    traceback.locator("summary").click()
    shown = traceback.locator("pre").inner_text()

    failures_now = visitor.page.locator(".jq-failures tbody tr")
    redis.rpush("resque:failed", b'{"payload":{"class":"Newest","args":[]},"queue":"q"}')
    expect(failures_now.first).to_contain_text("Newest", timeout=LIVE_TIMEOUT_MS)

    expect(visitor.page.locator("details[open] pre")).to_have_text(shown)


def test_nothing_moves_while_text_is_selected(visitor, redis):
    visitor.visit("/jobs/")
    visitor.page.evaluate("getSelection().selectAllChildren(document.querySelector('.jq-figures'))")
    redis.rpush("resque:queue:emails", "x")

    visitor.page.wait_for_timeout(2_500)  # Longer than the time between two updates.
    expect(waiting(visitor)).to_have_text("1,281")

    visitor.page.evaluate("getSelection().removeAllRanges()")
    expect(waiting(visitor)).to_have_text("1,282", timeout=LIVE_TIMEOUT_MS)


def test_a_hidden_tab_asks_for_nothing(visitor):
    visitor.visit("/jobs/")
    visitor.page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))

    visitor.page.wait_for_timeout(2_500)  # Longer than the time between two updates.

    # The tab's icon is asked for by the browser itself, whenever it likes
    assert [url for url in asked if not url.endswith("icon.svg")] == []


def test_a_redis_that_goes_away_and_comes_back_is_shown(new_visitor, redis_factory, monkeypatch):
    server = redis_factory()
    monkeypatch.setenv("REDIS_URL", server.url)
    visitor = new_visitor()
    visitor.visit("/jobs/")

    server.kill()
    expect(live_state(visitor)).to_have_text("Redis is away, trying again", timeout=LIVE_TIMEOUT_MS)
    visitor.screenshot("dashboard-redis-away")
    server.start()
    expect(live_state(visitor)).to_have_text("Live", timeout=LIVE_TIMEOUT_MS)

    assert {error for error in visitor.errors if "503" not in error} == set()
    visitor.errors.clear()


def test_a_page_without_redis_says_so(new_visitor, redis, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    visitor = new_visitor()

    visitor.visit("/jobs/failed/")

    expect(visitor.page.locator("#jq-problem")).to_contain_text(
        "redis://:***@127.0.0.1:1/0 cannot be reached"
    )
    visitor.screenshot("dashboard-no-redis")
    visitor.errors.clear()


def test_the_end_of_a_session_is_shown(visitor):
    visitor.visit("/jobs/")

    Session.objects.all().delete()

    expect(live_state(visitor)).to_have_text("Logged out: reload the page", timeout=LIVE_TIMEOUT_MS)


@pytest.mark.parametrize("has_javascript", [True, False])
def test_a_failure_is_retried_and_removed(new_visitor, redis, has_javascript):
    seed(redis)
    visitor = new_visitor(java_script_enabled=has_javascript)
    visitor.visit("/jobs/failed/")
    digest = failures.page(0, 1).failures[0].failure.digest
    row = visitor.page.locator(f"#failure-{digest}")
    expect(row).to_contain_text("blog.jobs.refresh_feed")
    expect(row.locator(".jq-place")).to_have_text("/srv/site/blog/jobs.py:14:in `send_email'")

    redis.lpop("resque:failed")  # The list moves under the page.
    row.get_by_role("button", name="Retry").click()

    expect(visitor.page.locator(".messagelist")).to_contain_text(
        "blog.jobs.refresh_feed was put on the queue emails again."
    )
    assert redis.llen("resque:queue:emails") == 44
    newest = visitor.page.locator(".jq-failures tbody tr").first
    expect(newest).to_contain_text("retried just now")
    visitor.screenshot(f"dashboard-retried-{'with' if has_javascript else 'without'}-javascript")

    newest.get_by_role("button", name="Remove").click()

    expect(visitor.page.locator(".messagelist")).to_contain_text("was removed")
    assert redis.llen("resque:failed") == 28


@pytest.mark.parametrize("has_javascript", [True, False])
def test_a_delayed_job_is_enqueued_now_and_another_removed(new_visitor, redis, has_javascript):
    seed(redis)
    visitor = new_visitor(java_script_enabled=has_javascript)
    visitor.visit("/jobs/delayed/?class=Reports")
    row = visitor.page.locator("tbody tr").first
    expect(row).to_contain_text("in resque-scheduler’s keys")

    row.get_by_role("button", name="Enqueue now").click()

    expect(visitor.page.locator(".messagelist")).to_contain_text(
        "Reports::Monthly was put on the queue reports."
    )
    assert redis.lindex("resque:queue:reports", -1) == b'{"class":"Reports::Monthly","args":[2026,11]}'

    row.get_by_role("button", name="Remove").click()

    expect(visitor.page.locator(".messagelist")).to_contain_text("was removed")
    expect(visitor.page.get_by_text("No delayed job of “Reports” waits")).to_be_visible()


def test_all_failures_are_cleared_after_a_question(visitor, redis):
    visitor.visit("/jobs/failed/")

    visitor.page.get_by_role("link", name="Clear all").click()
    visitor.page.get_by_role("link", name="No, take me back").click()
    assert redis.llen("resque:failed") == 30
    visitor.page.get_by_role("link", name="Clear all").click()
    visitor.page.get_by_role("button", name="Yes, I’m sure").click()

    expect(visitor.page.get_by_text("Nothing has failed")).to_be_visible()
    assert redis.llen("resque:failed") == 0


@pytest.mark.parametrize("has_javascript", [True, False])
def test_a_silent_worker_is_pruned_after_a_question(new_visitor, redis, has_javascript):
    seed(redis)
    redis.hset("resque:workers:heartbeat", "web2:911:*", "2026-01-01T00:00:00+00:00")
    visitor = new_visitor(java_script_enabled=has_javascript)
    visitor.visit("/jobs/workers/")
    visitor.screenshot(f"dashboard-silent-{'with' if has_javascript else 'without'}-javascript")

    visitor.page.locator("tbody").get_by_role("link", name="web2:911").click()
    visitor.page.get_by_role("link", name="Prune worker").click()
    visitor.page.get_by_role("button", name="Prune it").click()

    expect(visitor.page.locator(".messagelist")).to_contain_text("Worker web2:911:* was pruned.")
    expect(visitor.page.get_by_role("link", name="Prune silent workers")).to_have_count(0)
    assert redis.llen("resque:failed") == 31


def test_without_javascript_nothing_pretends_to_be_live(new_visitor, redis):
    visitor = new_visitor(java_script_enabled=False)

    visitor.visit("/jobs/")

    expect(visitor.page.locator("#jq-live")).to_be_hidden()


def test_keys_are_browsed_down_to_a_value(visitor):
    visitor.visit("/jobs/stats/")

    visitor.page.locator(".jq-parts").get_by_role("link", name="Keys").click()
    visitor.page.get_by_role("link", name="resque:workers:heartbeat").click()

    expect(visitor.page.locator("tbody tr")).to_have_count(3)


def test_a_queue_is_paused_by_its_button(visitor, redis):
    visitor.visit("/jobs/queues/emails/")

    visitor.page.get_by_role("button", name="Pause queue").click()

    expect(visitor.page.get_by_role("button", name="Resume queue")).to_be_visible()
    assert redis.sismember("resque:paused", "emails")
