"""Who may see the dashboard and who may change things, decided in one decorator for all views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods
from redis.exceptions import ResponseError

from jobqueue.conf import settings
from jobqueue.exceptions import RedisUnreachable
from jobqueue.views.pages import render_problem

View = Callable[..., HttpResponseBase]
SEEING = ("GET", "HEAD")
CHANGING = ("POST",)
CONFIRMING = ("GET", "HEAD", "POST")


def is_staff(user: Any) -> bool:
    """Allow active staff users: the default of JOBQUEUE_CAN_VIEW and JOBQUEUE_CAN_OPERATE."""
    return bool(user.is_active and user.is_staff)


def may_view(user: Any) -> bool:
    """Ask the site's JOBQUEUE_CAN_VIEW."""
    return bool(import_string(settings.can_view)(user))


def may_operate(user: Any) -> bool:
    """Who may not see the pages may not change anything either."""
    return may_view(user) and bool(import_string(settings.can_operate)(user))


def has_token(request: HttpRequest) -> bool:
    """Tell whether a monitor has sent the site's JOBQUEUE_HEALTH_TOKEN."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.health_token or ""
    return bool(wanted) and scheme.lower() == "bearer" and constant_time_compare(sent.strip(), wanted)


def page(
    *, methods: Sequence[str] = SEEING, operates: bool = False, for_monitors: bool = False
) -> Callable[[View], View]:
    """Make a view of the dashboard: it asks for a login and the right, and says so when Redis is away.

    ``for_monitors``: the token of JOBQUEUE_HEALTH_TOKEN opens it too.
    """
    is_allowed = may_operate if operates else may_view

    def decorate(view: View) -> View:
        @never_cache
        @csrf_protect
        @require_http_methods(list(methods))
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            if for_monitors and has_token(request):
                return answering(view, request, **kwargs)
            user = request.user = getattr(request, "user", None) or AnonymousUser()
            if not is_allowed(user):
                return forbidden(request, operates=operates) if user.is_authenticated else log_in(request)
            request.can_operate = may_operate(user)  # type: ignore[attr-defined]  # our own, for the pages
            return answering(view, request, **kwargs)

        return login_not_required(guarded) if for_monitors else guarded

    return decorate


def answering(view: View, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    """Call the view; a Redis that is away, unnamed or refuses is a page that says so in one sentence."""
    try:
        return view(request, **kwargs)
    except (RedisUnreachable, ImproperlyConfigured) as error:
        return render_problem(request, "Redis cannot be reached", str(error), status=503)
    except ResponseError as error:
        return render_problem(request, "Redis refused", f"Redis answered: {error}", status=503)


def forbidden(request: HttpRequest, *, operates: bool) -> HttpResponse:
    """Tell somebody who is logged in what they may not do."""
    what = "change anything here" if operates else "see these pages"
    sentence = f"You are logged in as {request.user}, who may not {what}. Ask an administrator for the right."
    return render_problem(request, "Not allowed", sentence, status=403)


def log_in(request: HttpRequest) -> HttpResponseBase:
    """Send a stranger to the login page, and from there to a page that can be looked at."""
    back = request.get_full_path() if request.method in SEEING else reverse("jobqueue:overview")
    return redirect_to_login(back, login_url())


def login_url() -> str:
    """Return the admin's login page if this site has one, else LOGIN_URL."""
    try:
        return reverse("admin:login")
    except NoReverseMatch:
        return str(django_settings.LOGIN_URL)
