"""The page for monitors and load balancers: a status for anybody, the reasons for those who may know them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import ResponseError

from jobqueue.exceptions import RedisUnreachable
from jobqueue.inspection.delayed import LATE_SECONDS
from jobqueue.inspection.health import Health
from jobqueue.inspection.health import health as look
from jobqueue.inspection.replies import ask
from jobqueue.printable import on_one_line
from jobqueue.views.access import has_token, may_view

MOST_NAMES = 20
LONGEST_NAME = 200
"""The answer stays small, however many queues and workers are in trouble."""

_log = logging.getLogger("jobqueue")


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer 200 or 503, whatever happens; ``?only=redis`` asks for nothing but an answer of Redis.

    Without workers the site itself is well: a load balancer that would take its web processes away for that
    should ask for Redis only, if at all.
    """
    details = _details(request.GET.get("only") == "redis")
    is_well = not details["problems"]
    body = {"status": "ok" if is_well else "failing"}
    if _may_know(request):
        body |= details
    return JsonResponse(body, status=200 if is_well else 503)


def _may_know(request: HttpRequest) -> bool:
    if has_token(request):
        return True
    try:
        return hasattr(request, "user") and may_view(request.user)
    except Exception:
        # Whether jobs are performed has to be told while the database of the users is away, too
        _log.warning("health.json cannot tell who asks", exc_info=True)
        return False


def _details(only_redis: bool) -> dict[str, Any]:
    try:
        if only_redis:
            ask("PING")
            return {"problems": [], "redis": True}
        seen = look()
        return {"problems": _problems(seen), "redis": True, **_figures(seen)}
    except (RedisUnreachable, ImproperlyConfigured) as error:
        return {"problems": [str(error)], "redis": False}
    except ResponseError as error:
        return {"problems": [f"Redis answered: {error}"], "redis": False}
    except Exception as error:
        _log.exception("health.json cannot be told")
        return {"problems": [f"This cannot be told: {type(error).__name__}."], "redis": False}


def _problems(seen: Health) -> list[str]:
    """Say why jobs that wait will not be performed."""
    late = f"A delayed job has been due for {seen.late_seconds:,.0f} s: no scheduler promotes it."
    return [late] * (seen.late_seconds > LATE_SECONDS) + [
        f"No living worker listens to {_shown(name)}, where jobs wait: {size}."
        for name, size in islice(seen.unattended.items(), MOST_NAMES)
    ]


def _figures(seen: Health) -> dict[str, Any]:
    return {
        "workers_alive": len(seen.alive),
        "workers_silent": len(seen.silent),
        "waiting": seen.waiting,
        "delayed": seen.delayed,
        "late_seconds": round(seen.late_seconds, 1),
        "failed": seen.failed,
        "all_paused": seen.is_all_paused,
        "paused": _some(seen.paused),
        "unattended": _some_sizes(seen.unattended),
        "silent": _some(seen.silent),
        "complaints": _some(seen.complaints),
    }


def _shown(name: str) -> str:
    """Return the beginning of a name, without odd bytes, which not every reader of JSON accepts."""
    return on_one_line(name[:LONGEST_NAME])


def _some(names: Iterable[str]) -> list[str]:
    return [_shown(name) for name in islice(names, MOST_NAMES)]


def _some_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    return {_shown(name): size for name, size in islice(sizes.items(), MOST_NAMES)}
