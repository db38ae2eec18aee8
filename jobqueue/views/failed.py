"""The Failed list, and what can be done to its entries.

A form names an entry by the index at which it was seen and the digest of its text, so that an action hits
the entry that was seen, even if the list has moved, or says that it is gone.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from jobqueue.exceptions import InvalidPayload
from jobqueue.inspection import failures as reading
from jobqueue.inspection.failures import Listed
from jobqueue.rubyjson import cut
from jobqueue.store import failures as writing
from jobqueue.views.access import CHANGING, CONFIRMING, page
from jobqueue.views.pages import render
from jobqueue.views.paging import PAGE_SIZE, Pager, answer, back_to, page_number, whole_number

HIGHEST_INDEX = 2**32
RETRYING_SECONDS = 15.0
"""Web servers end a request after half a minute or so."""
GONE = "This failure is gone: someone else has removed or retried it meanwhile."


@page()
def failed(request: HttpRequest) -> HttpResponse:
    """Show the failures, newest first; ``?class=`` shows those of one kind of job."""
    name = request.GET.get("class", "").strip()
    if name:
        return search(request, name)
    number = page_number(request)
    seen = reading.page((number - 1) * PAGE_SIZE, PAGE_SIZE)
    context = {"title": "Failed", "seen": seen, "pager": Pager(number=number, count=seen.count)}
    return render(request, "jobqueue/failed.html", context, tab="failed")


def search(request: HttpRequest, name: str) -> HttpResponse:
    """Show the failures of one kind of job, as far as a page looks through the list."""
    below = whole_number(request.GET.get("below", ""), highest=HIGHEST_INDEX)
    seen = reading.search(name, PAGE_SIZE, below)
    context = {"title": "Failed", "seen": seen, "name": name, "below": below}
    return render(request, "jobqueue/failed.html", context, tab="failed")


@page(methods=CHANGING, operates=True)
def retry(request: HttpRequest) -> HttpResponse:
    """Enqueue the job of one failure again; the entry stays and says when it was retried."""
    listed, done = posted_failure(request), ""
    try:
        if listed is not None and writing.retry_listed(listed):
            done = f"{cut(listed.job.name)} was put on the queue {cut(listed.failure.queue)} again."
    except InvalidPayload as error:
        messages.error(request, str(error), fail_silently=True)
        return back_to("jobqueue:failed", request)
    return answer(request, "jobqueue:failed", done, GONE)


@page(methods=CHANGING, operates=True)
def remove(request: HttpRequest) -> HttpResponse:
    """Remove one failure from the list."""
    listed, done = posted_failure(request), ""
    if listed is not None and writing.remove(listed.failure.raw):
        done = f"The failure of {cut(listed.job.name) or 'no job'} was removed."
    return answer(request, "jobqueue:failed", done, GONE)


@page(methods=CONFIRMING, operates=True)
def retry_all(request: HttpRequest) -> HttpResponse:
    """Ask, then retry all failures; if there are too many for one request, ask whether to go on."""
    start = whole_number(request.GET.get("start", ""), highest=HIGHEST_INDEX) or 0
    if request.method != "POST":
        return confirm(request, "Retry all failures?", "retry_all", start)
    done = writing.retry_all(start, RETRYING_SECONDS)
    messages.success(request, f"{failures(done.retried)} retried.", fail_silently=True)
    if done.unreadable:
        said = f"Left as they are, because they hold no job: {done.unreadable:,}."
        messages.warning(request, said, fail_silently=True)
    if done.left_from is not None:
        return HttpResponseRedirect(f"{reverse('jobqueue:retry_all')}?start={done.left_from}")
    return redirect("jobqueue:failed")


@page(methods=CONFIRMING, operates=True)
def clear_retried(request: HttpRequest) -> HttpResponse:
    """Ask, then remove the failures that were retried."""
    if request.method != "POST":
        return confirm(request, "Clear retried failures?", "clear_retried")
    removed = writing.clear_retried()
    messages.success(request, f"{failures(removed, 'retried ')} removed.", fail_silently=True)
    return redirect("jobqueue:failed")


@page(methods=CONFIRMING, operates=True)
def clear(request: HttpRequest) -> HttpResponse:
    """Ask, then remove all failures."""
    if request.method != "POST":
        return confirm(request, "Clear all failures?", "clear")
    writing.clear()
    messages.success(request, "All failures were removed.", fail_silently=True)
    return redirect("jobqueue:failed")


def confirm(request: HttpRequest, title: str, action: str, start: int = 0) -> HttpResponse:
    """Ask before many failures are changed."""
    count = max(reading.page(0, 1).count - start, 0)
    context = {"title": title, "action": action, "count": count, "start": start}
    return render(request, f"jobqueue/confirm_{action}.html", context, tab="failed")


def failures(count: int, kind: str = "") -> str:
    """Begin a sentence on so many failures."""
    return f"1 {kind}failure was" if count == 1 else f"{count:,} {kind}failures were"


def posted_failure(request: HttpRequest) -> Listed | None:
    """Return the failure that a form names, or None if it is gone."""
    index = whole_number(request.POST.get("index", ""), highest=HIGHEST_INDEX) or 0
    return reading.find(index, request.POST.get("digest", ""))
