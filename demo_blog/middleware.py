from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from jobqueue.exceptions import RedisUnreachable


class TellWhenRedisIsUnreachable:
    """Answer with one sentence and status 503 where a page needed Redis and Redis did not answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, RedisUnreachable):
            return None
        return render(request, "demo_blog/unreachable.html", {"error": error}, status=503)
