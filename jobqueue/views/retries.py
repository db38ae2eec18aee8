"""The jobs that wait to be tried again, and what can be done to them.

A form names a job by its moment and the digest of its text, so that an action hits the attempt that was seen,
or says that it is gone.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from jobqueue.inspection import retries as reading
from jobqueue.inspection.delayed import LATEST_MS
from jobqueue.inspection.retries import WaitingRetry
from jobqueue.rubyjson import cut
from jobqueue.store import delayed as writing
from jobqueue.views.access import CHANGING, page
from jobqueue.views.pages import render
from jobqueue.views.paging import PAGE_SIZE, answer, whole_number

HIGHEST_PLACE = 2**32
GONE = "This job waits no more: it is being tried again, or somebody has removed it meanwhile."


@page()
def retries(request: HttpRequest) -> HttpResponse:
    """Show the jobs that wait to be tried again, the next one first."""
    start = whole_number(request.GET.get("from", ""), highest=HIGHEST_PLACE) or 0
    context = {"title": "Retries", "seen": reading.page(start, PAGE_SIZE), "start": start}
    return render(request, "jobqueue/retries.html", context, tab="retries")


@page(methods=CHANGING, operates=True)
def retry_now(request: HttpRequest) -> HttpResponse:
    """Bring one job to its queue now."""
    found, done = posted_retry(request), ""
    if found is not None and writing.enqueue_now([found.delayed]):
        done = f"{cut(found.job.name)} was put on the queue {cut(found.delayed.queue)} now."
    return answer(request, "jobqueue:retries", done, GONE)


@page(methods=CHANGING, operates=True)
def remove_retry(request: HttpRequest) -> HttpResponse:
    """Let one job not be tried again, and forget it."""
    found, done = posted_retry(request), ""
    if found is not None and writing.remove([found.delayed]):
        done = f"{cut(found.job.name)} was removed."
    return answer(request, "jobqueue:retries", done, GONE)


def posted_retry(request: HttpRequest) -> WaitingRetry | None:
    """Return the job that a form names, or None if it is gone."""
    moment_ms = whole_number(request.POST.get("moment", ""), highest=LATEST_MS)
    return None if moment_ms is None else reading.find(moment_ms, request.POST.get("digest", ""))
