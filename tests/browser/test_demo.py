"""The demo as its first visitor sees it: real web server, real worker, real browser."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE, Visitor
from tests.demosite import ROOT, DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.process]

FOLLOWS_MS = 2000
"""A figure follows a change within two seconds."""


@pytest.fixture(scope="module")
def site(browser: Browser) -> Iterator[DemoSite]:
    # Not pytest's own folders: their paths can be too long for a unix socket.
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-demo-"))
    site = DemoSite(folder)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        shutil.rmtree(folder)


@pytest.fixture
def open_site(browser: Browser, site: DemoSite) -> Iterator[Callable[..., Visitor]]:
    """Yield a function that opens a window on the demo; in the end no console may have complained."""
    visitors: list[Visitor] = []

    def opened(path: str = "/", **options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": DESK, "color_scheme": "light", **options})
        visitors.append(Visitor(page=context.new_page(), url=site.url))
        visitors[-1].visit(path)
        return visitors[-1]

    yield opened
    for visitor in visitors:
        visitor.page.context.close()
    assert [error for visitor in visitors for error in visitor.errors] == []


def words(texts: list[str]) -> int:
    return sum(len(text.split()) for text in texts)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def log_in(page: Page) -> None:
    page.fill("input[name=username]", "demo")
    page.fill("input[name=password]", "demo")
    page.click("input[type=submit]")


def write_comment(page: Page, text: str) -> None:
    page.fill("#id_name", "Ada")
    page.fill("#id_text", text)
    page.get_by_role("button", name="Add the comment").click()


def test_the_home_page_counts_what_stands_in_the_files(open_site, site):
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")]
    visitor = open_site("/")

    expect(visitor.page.locator("#articles")).to_have_text(str(len(pages)))
    expect(visitor.page.locator("#article-words")).to_have_text(
        str(words([page.read_text() for page in pages]))
    )
    expect(visitor.page.locator("#comments")).to_have_text(str(len(site.texts("comment"))))
    expect(visitor.page.locator("#comment-words")).to_have_text(str(words(site.texts("comment"))))
    visitor.screenshot("demo-home")


def test_figures_follow_a_comment_that_is_added_changed_and_deleted(open_site, site):
    home, visitor = open_site("/"), open_site("/articles/")
    figure = home.page.locator("#comment-words")
    before = words(site.texts("comment"))
    expect(figure).to_have_text(str(before))

    visitor.page.locator(".articles h3 a").first.click()
    write_comment(visitor.page, "These are exactly five words")
    expect(figure).to_have_text(str(before + 5), timeout=FOLLOWS_MS)

    visitor.page.locator(".comment:target").get_by_role("link", name="Edit").click()
    visitor.page.fill("#id_text", "Now two more: that is seven words")
    visitor.page.get_by_role("button", name="Save").click()
    expect(figure).to_have_text(str(before + 7), timeout=FOLLOWS_MS)

    visitor.screenshot("demo-article")
    visitor.page.locator(".comment:target").get_by_role("link", name="Delete").click()
    visitor.page.get_by_role("button", name="Delete").click()
    expect(figure).to_have_text(str(before), timeout=FOLLOWS_MS)


def test_figures_follow_an_article_that_is_written_and_deleted(open_site, site):
    home, visitor = open_site("/"), open_site("/write/")
    before = len(site.texts("article"))

    visitor.page.fill("#id_title", "Fresh from the press")
    visitor.page.fill("#id_text", "Three little words")
    visitor.page.get_by_role("button", name="Save").click()
    expect(home.page.locator("#articles")).to_have_text(str(before + 1), timeout=FOLLOWS_MS)
    expect(visitor.page.locator(".words")).to_have_text("3 words", timeout=FOLLOWS_MS)

    visitor.page.get_by_role("link", name="Delete", exact=True).click()
    visitor.page.get_by_role("button", name="Delete").click()
    expect(home.page.locator("#articles")).to_have_text(str(before), timeout=FOLLOWS_MS)


def test_a_failing_job_is_seen_retried_and_removed(open_site):
    visitor = open_site("/try/")
    page = visitor.page
    page.click("#try-fail")
    expect(page.locator(".message")).to_contain_text("Enqueued as job")
    visitor.screenshot("demo-try")

    visitor.visit("/jobs/failed/")
    log_in(page)
    row = page.locator("tr", has_text="ValueError").first
    expect(row).to_contain_text("This job always fails.", timeout=FOLLOWS_MS)
    expect(row.locator(".jq-place")).to_contain_text("demo_blog/jobs.py")
    visitor.screenshot("demo-failed")

    row.get_by_role("button", name="Retry").click()
    expect(page.locator("tr", has_text="retried")).to_have_count(1, timeout=FOLLOWS_MS)

    while page.get_by_role("button", name="Remove").count():
        page.get_by_role("button", name="Remove").first.click()
        page.wait_for_load_state()
    expect(page.locator(".jq-empty")).to_contain_text("Nothing has failed")


def test_a_sleeping_job_is_seen_working(open_site):
    visitor = open_site("/try/")
    visitor.page.click("#try-sleep")

    visitor.visit("/jobs/working/")
    log_in(visitor.page)

    expect(visitor.page.locator("#content")).to_contain_text("demo_blog.jobs.sleep", timeout=FOLLOWS_MS)
    visitor.screenshot("demo-working")


def test_the_keys_of_the_figures_can_be_browsed(open_site):
    visitor = open_site("/jobs/stats/keys/?holding=value")
    log_in(visitor.page)

    visitor.page.get_by_role("link", name="Home.counts").click()

    expect(visitor.page.locator("#content")).to_contain_text("comment_words")
    visitor.screenshot("demo-key")


def test_the_mail_of_the_contact_page_is_sent_by_a_job(open_site, site):
    visitor = open_site("/contact/")
    visitor.page.fill("#id_name", "Eve")
    visitor.page.fill("#id_email", "eve@example.com")
    visitor.page.fill("#id_text", "A question about queues")
    visitor.page.get_by_role("button", name="Send").click()

    expect(visitor.page.locator(".message")).to_contain_text("on its way")
    wait_for(lambda: "A question about queues" in site.log("worker"))


def test_without_javascript_a_comment_is_added_and_counted(open_site, site):
    visitor = open_site("/articles/", java_script_enabled=False)
    visitor.page.locator(".articles h3 a").last.click()

    write_comment(visitor.page, "No scripts were run")

    expect(visitor.page.locator(".comment").first).to_contain_text("No scripts were run")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_suit_a_phone_and_the_dark(open_site, scheme):
    visitor = open_site("/", viewport=PHONE, color_scheme=scheme)

    for name, path in (("home", "/"), ("articles", "/articles/"), ("try", "/try/"), ("contact", "/contact/")):
        visitor.visit(path)
        visitor.screenshot(f"demo-phone-{scheme}-{name}")
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
