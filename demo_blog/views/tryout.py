from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from demo_blog.jobs import Greeting, fail, keep_failing, sleep, sleep_alone
from jobqueue import enqueue, enqueue_in


@dataclass(frozen=True, kw_only=True)
class Tryout:
    """A button: what it promises, the code it stands for, and what it does."""

    title: str
    promise: str
    code: str
    start: Callable[[], Any]


TRYOUTS = {
    "fail": Tryout(
        title="A job that fails",
        promise="It raises an error. Look at it under Failed, retry it, remove it.",
        code='fail.enqueue("This job always fails.")',
        start=lambda: fail.enqueue("This job always fails."),
    ),
    "sleep": Tryout(
        title="A job that takes five seconds",
        promise="Look at it under Working. Kill its worker meanwhile, if you like.",
        code="sleep.enqueue(5)",
        start=lambda: sleep.enqueue(5),
    ),
    "later": Tryout(
        title="A job that waits for a minute",
        promise="Look at it under Delayed. Enqueue it now, or let it wait.",
        code='enqueue_in(60, Greeting, "world")',
        start=lambda: enqueue_in(60, Greeting, "world"),
    ),
    "retry": Tryout(
        title="A job that is tried again",
        promise="It is tried again after 10 and 20 seconds. Look at it under Retries, and then under Failed.",
        code='keep_failing.enqueue("Nobody answers.")',
        start=lambda: keep_failing.enqueue("Nobody answers."),
    ),
    "once": Tryout(
        title="A job that is there only once",
        promise="Enqueue it several times in ten seconds: it stays one job. Its lock is under Stats, Locks.",
        code="sleep_alone.enqueue(10)",
        start=lambda: sleep_alone.enqueue(10),
    ),
    "greet": Tryout(
        title="A class in Resque’s own shape",
        promise="Nothing to inherit from: a queue and a method perform. It greets you in the worker’s log.",
        code='enqueue(Greeting, "world")',
        start=lambda: enqueue(Greeting, "world"),
    ),
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "demo_blog/try.html", {"tryouts": TRYOUTS})


@require_POST
def start(request: HttpRequest, name: str) -> HttpResponse:
    if name not in TRYOUTS:
        raise Http404
    job = TRYOUTS[name].start()
    messages.success(request, f"Enqueued as job {job.id}.")
    return redirect("try")
