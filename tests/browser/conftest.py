"""Headless Chromium for tests of pages: visitors who see a site, with or without JavaScript.

Without Chromium these tests are left out, and the summary says so; with CI=true they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_CHROMIUM = (
    "Chromium is missing, so the tests of the pages in a browser were left out. "
    "To get it: apt-get install chromium (Debian), or name one in the variable CHROMIUM."
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}


def chromium() -> str | None:
    """Return the path of Chromium; Playwright's own download of it is not needed."""
    given = os.environ.get("CHROMIUM")
    return given or shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not chromium():
        terminalreporter.section("BROWSER TESTS LEFT OUT", red=True, bold=True)
        terminalreporter.line(NO_CHROMIUM)


@dataclass
class Visitor:
    """One browser window. ``errors`` collects what its console complained of."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def visit(self, path: str) -> None:
        self.page.goto(self.url + path)

    def screenshot(self, name: str) -> None:
        """Keep a picture of the whole page among the artefacts of the tests."""
        ARTIFACTS.mkdir(exist_ok=True)
        self._picture(ARTIFACTS / f"{name}.png")

    def _picture(self, path: Path, attempts: int = 5) -> None:
        """Take a picture; a Chromium just started now and then refuses the first one it is asked for."""
        try:
            self.page.screenshot(path=path, full_page=True)
        except PlaywrightError as error:
            if "Unable to capture screenshot" not in error.message or attempts == 1:
                raise
            self._picture(path, attempts - 1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield Chromium for one module: while it runs this thread has an event loop that others must not see."""
    if not chromium():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_CHROMIUM)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def new_visitor(browser: Browser, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    """Yield a function that opens a window, logged in as a member of the staff.

    In the end no console may have complained.
    """
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def new_visitor(*, username: str | None = "maria", **options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": DESK, "color_scheme": "light", **options})
        contexts.append(context)
        if username:
            context.add_cookies([session_cookie(username, live_server.url)])
        visitors.append(Visitor(page=context.new_page(), url=live_server.url))
        return visitors[-1]

    yield new_visitor
    for context in contexts:
        context.close()
    assert [error for visitor in visitors for error in visitor.errors] == []


def session_cookie(username: str, url: str) -> dict[str, Any]:
    """Return the cookie of a staff user's session, made if there is no such user yet."""
    user, _ = get_user_model().objects.get_or_create(username=username, defaults={"is_staff": True})
    client = Client()
    client.force_login(user)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}
