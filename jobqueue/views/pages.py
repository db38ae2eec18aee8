"""Turn values into a page of the dashboard: the frame, its navigation, and the safety of what Redis holds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from jobqueue.connection import address, keys
from jobqueue.printable import printable

TABS = (
    ("Overview", "overview"),
    ("Working", "working"),
    ("Failed", "failed"),
    ("Retries", "retries"),
    ("Delayed", "delayed"),
    ("Schedule", "schedule"),
    ("Queues", "queues"),
    ("Workers", "workers"),
    ("Stats", "stats"),
)


def render(
    request: HttpRequest, template: str, context: dict[str, Any], *, tab: str = "", status: int = 200
) -> HttpResponse:
    """Render a page; whatever bytes Redis held, the answer is valid UTF-8 and shows them as escapes."""
    text = render_to_string(template, {**frame(request, tab), **context}, request)
    response = HttpResponse(printable(text), status=status)
    response.headers.setdefault("Content-Security-Policy", content_security_policy())
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


def render_problem(request: HttpRequest, title: str, sentence: str, *, status: int) -> HttpResponse:
    """Render a page of one sentence."""
    return render(request, "jobqueue/problem.html", {"title": title, "sentence": sentence}, status=status)


def frame(request: HttpRequest, tab: str) -> dict[str, Any]:
    """Return what every page shows around its content."""
    return {
        "tabs": [(title, reverse(f"jobqueue:{name}"), name == tab) for title, name in TABS],
        "here": request.get_full_path(),
        "user": request.user,
        "messages": get_messages(request),
        "can_operate": getattr(request, "can_operate", False),
        "site_header": site_header(),
        "admin_url": url_or_none("admin:index"),
        "logout_url": url_or_none("admin:logout"),
        "redis_address": redis_address(),
    }


def redis_address() -> str:
    """Return the masked address and namespace; nothing if they cannot be known."""
    try:
        return f"{address().masked}, namespace {keys().prefix.removesuffix(':')}"
    except ImproperlyConfigured:
        return ""


def site_header() -> str:
    """Return the header of the site's admin, so that both look like one; ours if there is no admin."""
    return str(admin.site.site_header) if apps.is_installed("django.contrib.admin") else "Jobs"


def url_or_none(name: str) -> str | None:
    """Return the address of a view that this site may not have."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def content_security_policy() -> str:
    """Return the strictest policy these pages work under: files from this site and its static host."""
    parts = urlsplit(static("jobqueue/dashboard.css"))
    sources = f"'self' {parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else "'self'"
    return f"default-src {sources}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
