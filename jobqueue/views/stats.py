"""Totals, Redis's own figures, and the keys of our namespace."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from jobqueue.inspection import keyspace
from jobqueue.inspection import stats as reading
from jobqueue.views.access import page
from jobqueue.views.pages import render, render_problem
from jobqueue.views.paging import whole_number

HIGHEST_CURSOR = 2**64 - 1
HIGHEST_POSITION = 2**62


@page()
def totals(request: HttpRequest) -> HttpResponse:
    seen = reading.overview()
    context = {"title": "Stats", "part": "totals", "seen": seen, "info": reading.info(seen)}
    return render(request, "jobqueue/stats.html", context, tab="stats")


@page()
def redis(request: HttpRequest) -> HttpResponse:
    context = {"title": "Redis", "part": "redis", "seen": reading.redis_info()}
    return render(request, "jobqueue/stats_redis.html", context, tab="stats")


@page()
def keys(request: HttpRequest) -> HttpResponse:
    """List keys; ``?holding=`` looks for a part of their names."""
    holding = request.GET.get("holding", "")
    cursor = whole_number(request.GET.get("cursor", ""), highest=HIGHEST_CURSOR) or 0
    seen = keyspace.page(cursor, holding)
    context = {"title": "Keys", "part": "keys", "seen": seen, "holding": holding, "cursor": cursor}
    return render(request, "jobqueue/stats_keys.html", context, tab="stats")


@page()
def key(request: HttpRequest, key: str) -> HttpResponse:
    """Show one key's value, a page at a time."""
    position = whole_number(request.GET.get("position", ""), highest=HIGHEST_POSITION) or 0
    seen = keyspace.value(key, position)
    if seen is None:
        sentence = f"There is no key {key} among the keys of jobqueue and Resque."
        return render_problem(request, "No such key", sentence, status=404)
    context = {"title": key, "part": "keys", "seen": seen, "position": position}
    return render(request, "jobqueue/stats_key.html", context, tab="stats")


@page()
def text(request: HttpRequest) -> HttpResponse:
    """Show the totals as lines of text, in the form of resque-web's ``stats.txt``, for monitoring."""
    seen = reading.overview()
    lines = [
        f"resque.pending={seen.pending}",
        f"resque.processed+={seen.stat_processed}",
        f"resque.failed+={seen.failed}",
        f"resque.workers={len(seen.workers)}",
        f"resque.working={len(seen.working)}",
        *(f"queues.{queue.name}={queue.size}" for queue in seen.queues),
    ]
    body = "\n".join(lines).encode("utf-8", "backslashreplace")
    return HttpResponse(body, content_type="text/plain; charset=utf-8")
