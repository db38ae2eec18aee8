"""The locks of unique jobs, which an operator may release."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from jobqueue.inspection import locks as reading
from jobqueue.store import unlocking as writing
from jobqueue.views.access import CHANGING, page
from jobqueue.views.pages import render
from jobqueue.views.paging import whole_number
from jobqueue.views.stats import HIGHEST_CURSOR


@page()
def locks(request: HttpRequest) -> HttpResponse:
    """List the locks of unique jobs, in no order."""
    cursor = whole_number(request.GET.get("cursor", ""), highest=HIGHEST_CURSOR) or 0
    seen = reading.page(cursor)
    context = {"title": "Locks", "part": "locks", "seen": seen, "cursor": cursor}
    return render(request, "jobqueue/stats_locks.html", context, tab="stats")


@page(methods=CHANGING, operates=True)
def release(request: HttpRequest) -> HttpResponse:
    """Release the lock of one job, which stays where it is: an equal one may be enqueued from now on."""
    lock = reading.get(request.POST.get("digest", ""))
    is_same = lock is not None and lock.id == request.POST.get("id", "")
    if lock is not None and is_same and writing.release(lock):
        messages.success(request, "The lock was released; its job stays where it is.", fail_silently=True)
    else:
        messages.warning(request, "This job does not hold the lock any more.", fail_silently=True)
    return redirect("jobqueue:locks")
