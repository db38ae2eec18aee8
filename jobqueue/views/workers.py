"""The workers, and what each is doing."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from jobqueue import registry
from jobqueue.inspection import inflight, stats
from jobqueue.inspection import workers as reading
from jobqueue.inspection.stats import Doing
from jobqueue.inspection.workers import Worker
from jobqueue.recovery import SilentRun
from jobqueue.rubyjson import cut
from jobqueue.store import workers as writing
from jobqueue.store.workers import PruneResult
from jobqueue.views.access import CONFIRMING, page
from jobqueue.views.converters import NameConverter
from jobqueue.views.pages import render, render_problem
from jobqueue.views.paging import Pager, page_number

WORKERS_PER_PAGE = 50
PRUNING_SECONDS = 15.0
"""Web servers end a request after half a minute or so."""
SAID = {
    PruneResult.UNREGISTERED: "Worker {} was pruned. If it had a job, that is under Failed now.",
    PruneResult.RECOVERED: "Worker {} was pruned. What it had in flight waits again, or is under Failed.",
    PruneResult.LIVES: "Worker {} lives: it has sent a heartbeat, or begun something.",
    PruneResult.OTHERS_PRUNE: "A worker of Ruby is pruning now, so worker {} stays. Try again in a minute.",
}
NAMES = NameConverter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine, how many workers live there, how many of them have a job, and how many may be dead."""

    name: str
    workers: int
    working: int
    silent: int

    @property
    def parameter(self) -> str:
        """The name as it stands in an address."""
        return NAMES.to_url(self.name)


@page()
def working(request: HttpRequest) -> HttpResponse:
    """Show every job that has been in flight for longer than a moment, those of silent workers last."""
    seen = stats.overview()
    busy = [*seen.working, *(worker for worker in seen.silent if worker.is_working)]
    pager = Pager(number=page_number(request), count=len(busy), size=WORKERS_PER_PAGE)
    shown = busy[pager.start : pager.start + pager.size]
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
    alive = Counter(worker.host for worker in workers if not worker.is_silent)
    working = Counter(worker.host for worker in workers if worker.is_working and not worker.is_silent)
    silent = Counter(worker.host for worker in workers if worker.is_silent)
    return [
        Host(name=name, workers=alive[name], working=working[name], silent=silent[name])
        for name in sorted(alive.keys() | silent.keys())
    ]


@page()
def worker(request: HttpRequest, worker_id: str) -> HttpResponse:
    """Show one worker and all it has in flight."""
    found = reading.worker(worker_id)
    if found is None:
        return gone(request, worker_id)
    context = {
        "title": f"Worker {found.host}:{found.pid}",
        "worker": found,
        "in_flight": inflight.of_worker(worker_id),
    }
    return render(request, "jobqueue/worker.html", context, tab="workers")


def gone(request: HttpRequest, worker_id: str) -> HttpResponse:
    """Tell that a worker has left, or was pruned."""
    sentence = f"No worker {worker_id} is registered: it has stopped, or was unregistered."
    return render_problem(request, "This worker is gone", sentence, status=404)


@page(methods=CONFIRMING, operates=True)
def prune(request: HttpRequest, worker_id: str) -> HttpResponse:
    """Ask, then unregister a worker that may be dead."""
    found = reading.worker(worker_id)
    if found is None:
        return gone(request, worker_id)
    if not found.may_be_dead:
        messages.warning(request, said(PruneResult.LIVES, worker_id), fail_silently=True)
        return redirect("jobqueue:worker", worker_id=worker_id)
    if request.method != "POST":
        return ask_to_prune(request, found)
    prune_one(request, worker_id)
    return redirect("jobqueue:workers")


def ask_to_prune(request: HttpRequest, found: Worker) -> HttpResponse:
    """Ask before a worker is pruned."""
    context = {
        "title": f"Prune worker {found.host}:{found.pid}?",
        "worker": found,
        "is_ours": bool(inflight.runs_of(found.id)),
    }
    return render(request, "jobqueue/confirm_prune.html", context, tab="workers")


@page(methods=CONFIRMING, operates=True)
def prune_silent(request: HttpRequest) -> HttpResponse:
    """Ask, then unregister all silent workers; of very many those that a request has time for."""
    silent = stats.overview().silent
    if request.method != "POST":
        context = {"title": "Prune silent workers?", "silent": silent}
        return render(request, "jobqueue/confirm_prune_silent.html", context, tab="workers")
    deadline = time.monotonic() + PRUNING_SECONDS
    pruned = 0
    for worker in silent:
        if time.monotonic() > deadline:
            messages.warning(request, "There are too many for one step. Prune again.", fail_silently=True)
            break
        pruned += prune_one(request, worker.id, is_quiet=True)
    messages.success(request, f"Silent workers that were pruned: {pruned:,}.", fail_silently=True)
    return redirect("jobqueue:workers")


def prune_one(request: HttpRequest, worker_id: str, *, is_quiet: bool = False) -> bool:
    """Prune a worker and say what has become of it, if ``is_quiet`` only where it stays."""
    try:
        result = writing.prune(worker_id, SilentRun(registry.crash_policy))
    except ValueError as error:
        messages.error(request, f"Worker {cut(worker_id)} stays: {error}.", fail_silently=True)
        return False
    is_pruned = result in (PruneResult.UNREGISTERED, PruneResult.RECOVERED)
    if not is_pruned:
        messages.warning(request, said(result, worker_id), fail_silently=True)
    elif not is_quiet:
        messages.success(request, said(result, worker_id), fail_silently=True)
    return is_pruned


def said(result: PruneResult, worker_id: str) -> str:
    """Say what has become of a worker."""
    return SAID[result].format(cut(worker_id))
