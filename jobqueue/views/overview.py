"""Everything in one look."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from jobqueue.inspection import stats
from jobqueue.views.access import page
from jobqueue.views.pages import render

QUEUES_SHOWN = 100
WORKERS_SHOWN = 50


@page()
def overview(request: HttpRequest) -> HttpResponse:
    """Show the queues, and the workers with what each is doing, the busy ones first, the silent last."""
    seen = stats.overview()
    workers = sorted(seen.workers, key=lambda worker: (worker.is_silent, not worker.is_working))
    context = {
        "title": "Overview",
        "seen": seen,
        "queues": seen.queues[:QUEUES_SHOWN],
        "queues_left_out": len(seen.queues[QUEUES_SHOWN:]),
        "workers": workers[:WORKERS_SHOWN],
        "workers_left_out": len(workers[WORKERS_SHOWN:]),
    }
    return render(request, "jobqueue/overview.html", context, tab="overview")
