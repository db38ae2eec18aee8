"""Totals, Redis's own figures, and the keys of our namespace."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from jobqueue.inspection import keyspace
from jobqueue.inspection import stats as reading
from jobqueue.inspection.stats import RedisInfo
from jobqueue.printable import on_one_line
from jobqueue.templatetags.jobqueue import lasting
from jobqueue.views.access import page
from jobqueue.views.pages import render, render_problem
from jobqueue.views.paging import whole_number

HIGHEST_CURSOR = 2**64 - 1
HIGHEST_POSITION = 2**62
LONGEST_NAME = 1_000
LABELS = {"list": "#", "hash": "Field", "zset": "Score", "stream": "Entry"}
"""What stands beside the values of each type; sets have values alone."""


@page()
def totals(request: HttpRequest) -> HttpResponse:
    """Show the totals of all queues and workers."""
    seen = reading.overview()
    context = {"title": "Stats", "part": "totals", "seen": seen, "info": reading.info(seen)}
    return render(request, "jobqueue/stats.html", context, tab="stats")


@page()
def redis(request: HttpRequest) -> HttpResponse:
    """Show Redis's own figures, and what is dangerous in its configuration."""
    seen = reading.redis_info()
    context = {
        "title": "Redis",
        "part": "redis",
        "seen": seen,
        "highlights": highlights(seen),
        "warnings": warnings(seen),
    }
    return render(request, "jobqueue/stats_redis.html", context, tab="stats")


def highlights(seen: RedisInfo) -> list[tuple[str, str]]:
    """Return the figures that people look for first."""
    figures = [
        ("version", seen.figure("redis_version")),
        ("uptime", lasting(int(seen.figure("uptime_in_seconds") or 0))),
        ("memory", seen.figure("used_memory_human")),
        ("clients", seen.figure("connected_clients")),
        ("commands a second", seen.figure("instantaneous_ops_per_sec")),
    ]
    return [(name, value) for name, value in figures if value]


def warnings(seen: RedisInfo) -> list[str]:
    """Say where this Redis could lose jobs."""
    said = []
    if (policy := seen.figure("maxmemory_policy")) not in ("", "noeviction"):
        said.append(f"maxmemory-policy is {policy}: a full Redis throws keys away. Jobs need noeviction.")
    if seen.figure("aof_enabled") == "0":
        said.append("appendonly is off: a crash of Redis loses the jobs since its last snapshot.")
    if seen.figure("rdb_last_bgsave_status") not in ("", "ok"):
        said.append("The last snapshot could not be written.")
    if seen.figure("role") == "slave":
        said.append("This Redis is a replica: it cannot be written to.")
    return said


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
    labelled = LABELS.get(seen.key.type, "")
    context = {"title": key, "part": "keys", "seen": seen, "position": position, "labelled": labelled}
    return render(request, "jobqueue/stats_key.html", context, tab="stats")


@page(for_monitors=True)
def text(request: HttpRequest) -> HttpResponse:
    """Show the totals as lines of text, in the form of resque-web's ``stats.txt``, for monitoring."""
    seen = reading.overview()
    info = reading.info(seen)
    lines = [
        f"resque.pending={info.pending}",
        f"resque.processed+={info.processed}",
        f"resque.failed+={info.failed}",
        f"resque.workers={info.workers}",
        f"resque.working={info.working}",
        *(f"queues.{queue.name[:LONGEST_NAME]}={queue.size}" for queue in seen.queues),
    ]
    body = "\n".join(on_one_line(line) for line in lines)
    return HttpResponse(body, content_type="text/plain; charset=utf-8")
