"""The queues, the jobs that wait in them, and what can be done to a queue as a whole."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from jobqueue.inspection import queues as reading
from jobqueue.inspection import stats
from jobqueue.store import queues as writing
from jobqueue.views.access import CHANGING, CONFIRMING, page
from jobqueue.views.pages import render
from jobqueue.views.paging import PAGE_SIZE, Pager, page_number

QUEUES_PER_PAGE = 100


@page()
def queues(request: HttpRequest) -> HttpResponse:
    """List every known queue with its size."""
    seen = stats.overview()
    pager = Pager(number=page_number(request), count=len(seen.queues), size=QUEUES_PER_PAGE)
    shown = seen.queues[pager.start : pager.start + pager.size]
    context = {"title": "Queues", "seen": seen, "queues": shown, "pager": pager}
    return render(request, "jobqueue/queues.html", context, tab="queues")


@page()
def queue(request: HttpRequest, queue: str) -> HttpResponse:
    """Show the jobs that wait in a queue, next one first."""
    number = page_number(request)
    seen = reading.page(queue, (number - 1) * PAGE_SIZE, PAGE_SIZE)
    pager = Pager(number=number, count=seen.size)
    positioned = list(enumerate(seen.jobs, pager.start + 1))
    context = {"title": f"Queue {queue}", "queue": queue, "seen": seen, "jobs": positioned, "pager": pager}
    return render(request, "jobqueue/queue.html", context, tab="queues")


@page(methods=CHANGING, operates=True)
def pause(request: HttpRequest, queue: str) -> HttpResponse:
    """Let our workers claim nothing from a queue."""
    writing.pause(queue)
    messages.success(request, f"Queue {queue} is paused: its jobs wait.", fail_silently=True)
    return redirect("jobqueue:queue", queue=queue)


@page(methods=CHANGING, operates=True)
def resume(request: HttpRequest, queue: str) -> HttpResponse:
    """Let workers claim from a paused queue again."""
    writing.resume(queue)
    messages.success(request, f"Queue {queue} goes on.", fail_silently=True)
    return redirect("jobqueue:queue", queue=queue)


@page(methods=CONFIRMING, operates=True)
def remove(request: HttpRequest, queue: str) -> HttpResponse:
    """Ask, then remove a queue with all jobs that wait in it."""
    if request.method == "POST":
        writing.remove_queue(queue)
        messages.success(request, f"Queue {queue} was removed.", fail_silently=True)
        return redirect("jobqueue:queues")
    context = {"title": f"Remove queue {queue}?", "queue": queue, "count": reading.measured([queue])[0].size}
    return render(request, "jobqueue/confirm_remove_queue.html", context, tab="queues")
