"""The schedule of recurring jobs, and what can be done to its entries."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from jobqueue import timetable
from jobqueue.exceptions import AlreadyEnqueued, InvalidArguments, PayloadTooLarge
from jobqueue.recurring import Recurring
from jobqueue.rubyjson import cut
from jobqueue.schedule import remove_schedule, said_of_run
from jobqueue.schedule import run as run_entry
from jobqueue.store import schedule as writing
from jobqueue.timetable import Row
from jobqueue.views.access import CHANGING, CONFIRMING, page
from jobqueue.views.pages import render, render_problem
from jobqueue.views.paging import Pager, back_to, page_number

ENTRIES_PER_PAGE = 100
PARAMETER = "parameter-"
"""Begins the names of the fields in which parameters are asked for."""
LONGEST_ANSWER = 10_000


@page()
def schedule(request: HttpRequest) -> HttpResponse:
    """List all entries, by name."""
    seen = timetable.read()
    pager = Pager(number=page_number(request), count=len(seen.names), size=ENTRIES_PER_PAGE)
    shown = seen.rows(pager.start, pager.start + pager.size)
    context = {"title": "Schedule", "seen": seen, "rows": shown, "pager": pager}
    return render(request, "jobqueue/schedule.html", context, tab="schedule")


@page()
def entry(request: HttpRequest, name: str) -> HttpResponse:
    """Show one entry with its next runs."""
    seen = timetable.read()
    row = seen.get(name)
    if row is None:
        sentence = f"The schedule has no entry {cut(name)!r}: it was removed, or there never was one."
        return render_problem(request, "This entry is gone", sentence, status=404)
    context = {"title": cut(name), "seen": seen, "row": row}
    return render(request, "jobqueue/entry.html", context, tab="schedule")


@page(methods=CONFIRMING, operates=True)
def run(request: HttpRequest, name: str) -> HttpResponse:
    """Enqueue the job of an entry now; ask for its parameters first, if it has some."""
    row = timetable.read().get(name)
    if row is None or row.entry is None:
        return gone(request, name)
    if request.method != "POST":
        context = {"title": f"Run {cut(name)}", "row": row, "prefix": PARAMETER}
        return render(request, "jobqueue/run_entry.html", context, tab="schedule")
    enqueue(request, row.entry)
    return back_to("jobqueue:schedule", request)


def enqueue(request: HttpRequest, entry: Recurring) -> None:
    """Run an entry with what a form answered for its parameters, and say what came of it."""
    answers = {each.name: request.POST.get(PARAMETER + each.name, each.default) for each in entry.parameters}
    try:
        job = run_entry(entry, {name: answer[:LONGEST_ANSWER] for name, answer in answers.items()})
    except (InvalidArguments, PayloadTooLarge, AlreadyEnqueued) as error:
        messages.error(request, str(error), fail_silently=True)
        return
    if job is None:
        said = f"{cut(entry.name)} was not enqueued: a before_enqueue hook said no."
        messages.warning(request, said, fail_silently=True)
        return
    messages.success(request, f"{cut(entry.name)} {said_of_run(entry)}.", fail_silently=True)


@page(methods=CHANGING, operates=True)
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Let the ticks of an entry pass."""
    row = found(name)
    if row is None:
        return gone(request, name)
    writing.pause([name])
    messages.success(request, f"{cut(name)} {row.said_of_pause}", fail_silently=True)
    return back_to("jobqueue:schedule", request)


@page(methods=CHANGING, operates=True)
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Let the next ticks of an entry enqueue jobs again."""
    writing.resume([name])
    messages.success(request, f"{cut(name)} goes on with its next tick.", fail_silently=True)
    return back_to("jobqueue:schedule", request)


@page(methods=CONFIRMING, operates=True)
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, then remove an entry that was set at run time."""
    row = found(name)
    if row is None or not row.is_persistent:
        return gone(request, name)
    if request.method == "POST":
        remove_schedule(name)
        messages.success(request, f"{cut(name)} {row.said_of_removal}", fail_silently=True)
        return redirect("jobqueue:schedule")
    context = {"title": f"Remove {cut(name)}?", "row": row}
    return render(request, "jobqueue/confirm_remove_entry.html", context, tab="schedule")


def found(name: str) -> Row | None:
    """Return the entry of a name."""
    return timetable.read().get(name)


def gone(request: HttpRequest, name: str) -> HttpResponseRedirect:
    """Return to the list when an entry is not there, or cannot be used so."""
    said = f"The schedule has no entry {cut(name)!r} with which this can be done."
    messages.warning(request, said, fail_silently=True)
    return HttpResponseRedirect(reverse("jobqueue:schedule"))
