"""The workers, and what each is doing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from jobqueue.inspection import inflight, stats
from jobqueue.inspection import workers as reading
from jobqueue.inspection.stats import Doing
from jobqueue.views.access import page
from jobqueue.views.converters import NameConverter
from jobqueue.views.pages import render, render_problem
from jobqueue.views.paging import Pager, page_number

WORKERS_PER_PAGE = 50
NAMES = NameConverter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine, and how many of its workers have a job."""

    name: str
    workers: int
    working: int

    @property
    def parameter(self) -> str:
        """The name as it stands in an address."""
        return NAMES.to_url(self.name)


@page()
def working(request: HttpRequest) -> HttpResponse:
    """Show every job that has been in flight for longer than a moment."""
    seen = stats.overview()
    pager = Pager(number=page_number(request), count=len(seen.working), size=WORKERS_PER_PAGE)
    shown = seen.working[pager.start : pager.start + pager.size]
    context = {"title": "Working", "seen": seen, "workers": shown, "pager": pager}
    return render(request, "jobqueue/working.html", context, tab="working")


@page()
def workers(request: HttpRequest) -> HttpResponse:
    """List the hosts if there are several, and the workers of all or of one."""
    seen = stats.overview()
    host = chosen_host(request)
    chosen = [worker for worker in seen.workers if host is None or worker.host == host]
    pager = Pager(number=page_number(request), count=len(chosen), size=WORKERS_PER_PAGE)
    shown = reading.read([worker.id for worker in chosen[pager.start : pager.start + pager.size]])
    context = {
        "title": "Workers" if host is None else f"Workers on {host}",
        "seen": seen,
        "hosts": hosts(seen.workers),
        "host": host,
        "workers": shown,
        "pager": pager,
        "keep": "" if host is None else f"&host={NAMES.to_url(host)}",
    }
    return render(request, "jobqueue/workers.html", context, tab="workers")


def chosen_host(request: HttpRequest) -> str | None:
    """Return the host whose workers are asked for; None for those of all."""
    asked = request.GET.get("host")
    return NAMES.to_python(asked) if asked and re.fullmatch(NAMES.regex, asked) else None


def hosts(workers: list[Doing]) -> list[Host]:
    """Count workers by host, sorted by name."""
    present = Counter(worker.host for worker in workers)
    working = Counter(worker.host for worker in workers if worker.is_working)
    return [Host(name=name, workers=present[name], working=working[name]) for name in sorted(present)]


@page()
def worker(request: HttpRequest, worker_id: str) -> HttpResponse:
    """Show one worker and all it has in flight."""
    found = reading.worker(worker_id)
    if found is None:
        sentence = f"No worker {worker_id} is registered: it has stopped, or was unregistered."
        return render_problem(request, "This worker is gone", sentence, status=404)
    context = {
        "title": f"Worker {found.host}:{found.pid}",
        "worker": found,
        "in_flight": inflight.of_worker(worker_id),
    }
    return render(request, "jobqueue/worker.html", context, tab="workers")
