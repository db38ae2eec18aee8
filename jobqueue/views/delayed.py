"""The delayed jobs, and what can be done to them.

A form names a job by its moment and the digest of its text, so that an action hits the job that was seen, or
says that it is gone.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from jobqueue.inspection import delayed as waiting
from jobqueue.inspection import delayedpages as reading
from jobqueue.inspection.delayed import LATEST_MS, DelayedJob
from jobqueue.inspection.delayedpages import Place
from jobqueue.rubyjson import cut
from jobqueue.store import delayed as writing
from jobqueue.views.access import CHANGING, CONFIRMING, page
from jobqueue.views.pages import render
from jobqueue.views.paging import PAGE_SIZE, answer, whole_number

HIGHEST_SKIP = 2**32
CLEARED_AT_ONCE = 10_000
GONE = "This job does not wait for that moment any more: it was enqueued, put off or removed meanwhile."


@page()
def delayed(request: HttpRequest) -> HttpResponse:
    """Show the delayed jobs, the earliest first; ``?class=`` those of one kind, ``?from=`` from then on."""
    name, begin = request.GET.get("class", "").strip(), request.GET.get("from", "").strip()
    place = asked_place(request, begin)
    seen = reading.search(name, place, PAGE_SIZE) if name else reading.page(place, PAGE_SIZE)
    context = {
        "title": "Delayed",
        "seen": seen,
        "name": name,
        "begin": begin,
        "is_beginning": place == reading.START,
        "next": urlencode({"class": name, **query(seen.next)}) if seen.next else "",
    }
    return render(request, "jobqueue/delayed.html", context, tab="delayed")


@page(methods=CHANGING, operates=True)
def enqueue_now(request: HttpRequest) -> HttpResponse:
    """Bring one job to its queue, as if it were due."""
    found, done = posted_job(request), ""
    if found is not None and writing.enqueue_now([found]):
        where = (
            f"was put on the queue {cut(found.queue)}" if found.queue else "names no queue, and has failed"
        )
        done = f"{cut(found.seen.name) or 'The job'} {where}."
    return answer(request, "jobqueue:delayed", done, GONE)


@page(methods=CHANGING, operates=True)
def remove(request: HttpRequest) -> HttpResponse:
    """Remove one job."""
    found, done = posted_job(request), ""
    if found is not None and writing.remove([found]):
        done = f"{cut(found.seen.name) or 'The job'} was removed."
    return answer(request, "jobqueue:delayed", done, GONE)


@page(methods=CONFIRMING, operates=True)
def clear(request: HttpRequest) -> HttpResponse:
    """Ask, then remove all delayed jobs; if there are too many for one request, ask whether to go on."""
    if request.method == "POST":
        removed = writing.remove(waiting.earliest(0, CLEARED_AT_ONCE))
        messages.success(request, f"Delayed jobs removed: {removed:,}.", fail_silently=True)
        if removed < CLEARED_AT_ONCE:
            return redirect("jobqueue:delayed")
    context = {"title": "Remove all delayed jobs?", "seen": reading.page(reading.START, 1)}
    return render(request, "jobqueue/confirm_clear_delayed.html", context, tab="delayed")


def asked_place(request: HttpRequest, begin: str) -> Place:
    """Return where the page begins: at a place that a link names, or at a moment that a person does."""
    numbers = [
        whole_number(request.GET.get(name, ""), highest=highest)
        for name, highest in (("at", LATEST_MS + 1), ("skip", HIGHEST_SKIP), ("bare", HIGHEST_SKIP))
    ]
    if numbers[0] is not None:
        return Place(moment_ms=numbers[0], skip=numbers[1] or 0, skip_bare=numbers[2] or 0)
    return Place(moment_ms=moment_ms(begin)) if begin else reading.START


def moment_ms(text: str) -> int:
    """Return the moment that a person's text names, in the current time zone; the beginning if none."""
    try:
        found = parse_datetime(text) or datetime.fromtimestamp(0, UTC)
        aware = timezone.make_aware(found) if timezone.is_naive(found) else found
        return max(0, min(round(aware.timestamp() * 1000), LATEST_MS))
    except (ValueError, OverflowError):
        return 0


def query(place: Place) -> dict[str, int | str]:
    """Return what a link to a place says."""
    return {"at": place.moment_ms, "skip": place.skip, "bare": place.skip_bare}


def posted_job(request: HttpRequest) -> DelayedJob | None:
    """Return the job that a form names, or None if it is gone."""
    moment = whole_number(request.POST.get("moment", ""), highest=LATEST_MS)
    if moment is None:
        return None
    return waiting.find(moment, request.POST.get("digest", ""), is_bare="bare" in request.POST)
