from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client
from django.urls import path, reverse

from jobqueue import urls
from jobqueue.views.access import is_staff, page

PAGES = [
    reverse(f"jobqueue:{name}")
    for name in (
        "overview",
        "working",
        "failed",
        "retries",
        "delayed",
        "schedule",
        "queues",
        "workers",
        "stats",
        "redis",
        "keys",
        "locks",
        "stats_text",
    )
] + [
    "/jobs/schedule/nightly/",
    "/jobs/queues/emails/",
    "/jobs/workers/h:1:q/",
    "/jobs/stats/keys/resque:queues/",
]
CHANGES = [
    reverse(f"jobqueue:{name}") for name in ("retry", "remove", "release_lock", "retry_now", "remove_retry")
] + [
    "/jobs/delayed/enqueue/",
    "/jobs/delayed/remove/",
    "/jobs/schedule/nightly/pause/",
    "/jobs/schedule/nightly/resume/",
    "/jobs/queues/emails/pause/",
    "/jobs/queues/emails/resume/",
]
ASKED_FIRST = [reverse(f"jobqueue:{name}") for name in ("retry_all", "clear", "clear_retried")] + [
    "/jobs/delayed/clear/",
    "/jobs/schedule/nightly/run/",
    "/jobs/schedule/nightly/remove/",
    "/jobs/queues/emails/remove/",
    "/jobs/workers/prune/",
    "/jobs/workers/h:1:q/prune/",
]

FOR_ANYBODY = [reverse("jobqueue:health")]


def test_every_address_is_tried_here():
    assert len(PAGES + CHANGES + ASKED_FIRST + FOR_ANYBODY) == len(urls.urlpatterns)


@pytest.mark.parametrize("url", FOR_ANYBODY)
def test_a_stranger_is_sent_nowhere(client, redis, url):
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 405


@pytest.mark.parametrize("url", PAGES + ASKED_FIRST)
def test_a_stranger_is_sent_to_the_login(client, db, redis, url):
    response = client.get(url + "?page=2")

    assert response.status_code == 302
    assert unquote(response.url) == f"/admin/login/?next={url}?page=2"


@pytest.mark.parametrize("url", CHANGES + ASKED_FIRST)
def test_a_stranger_who_posts_is_sent_to_the_login_and_then_to_the_overview(client, db, redis, url):
    assert client.post(url).url == "/admin/login/?next=/jobs/"


@pytest.mark.parametrize("url", PAGES + ASKED_FIRST)
def test_a_user_without_the_right_is_told_so(client, django_user_model, redis, url):
    client.force_login(django_user_model.objects.create_user("eve"))

    response = client.get(url)

    assert response.status_code == 403
    assert b"You are logged in as eve, who may not" in response.content


@pytest.mark.parametrize("url", CHANGES + ASKED_FIRST)
def test_who_may_only_see_changes_nothing(reader, redis, url):
    redis.rpush("resque:failed", "x")
    redis.sadd("resque:queues", "emails")
    redis.sadd("resque:workers", "h:1:q")

    response = reader.post(url, {"index": "0", "digest": "x"})

    assert response.status_code == 403
    assert b"who may not change anything here" in response.content
    counts = [redis.llen("resque:failed"), redis.scard("resque:queues"), redis.scard("resque:workers")]
    assert counts == [1, 1, 1]


@pytest.mark.parametrize("url", CHANGES)
def test_a_change_is_no_get(staff, url):
    assert staff.get(url).status_code == 405


@pytest.mark.parametrize("url", ASKED_FIRST)
def test_a_get_asks_and_changes_nothing(staff, redis, url):
    redis.rpush("resque:failed", "x")
    redis.sadd("resque:queues", "emails")
    redis.sadd("resque:workers", "h:1:q")
    redis.hset("resque:persistent_schedules", "nightly", '{"cron":"0 3 * * *","queue":"low"}')

    assert staff.get(url).status_code == 200

    counts = [redis.llen("resque:failed"), redis.scard("resque:queues"), redis.scard("resque:workers")]
    assert counts == [1, 1, 1]
    assert redis.hlen("resque:persistent_schedules") == 1


@pytest.mark.parametrize("url", CHANGES + ASKED_FIRST)
def test_a_post_without_the_token_is_refused(redis, db, url):
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_user("maria", is_staff=True))

    assert client.post(url).status_code == 403


def test_a_site_without_the_csrf_middleware_is_protected_too(redis, db, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_user("maria", is_staff=True))

    assert client.post("/jobs/failed/clear/").status_code == 403


def test_who_may_only_see_is_offered_no_buttons(reader, redis):
    redis.rpush("resque:failed", b'{"payload":{"class":"A","args":[]},"queue":"q"}')

    assert b"<button" not in reader.get("/jobs/failed/").content.split(b"<main")[1]
    assert b"Remove queue" not in reader.get("/jobs/queues/q/").content


def test_a_site_may_open_its_pages_to_everybody(client, redis, db, settings):
    settings.JOBQUEUE_CAN_VIEW = "tests.views.rights.anybody"

    assert client.get("/jobs/").status_code == 200


def test_who_may_not_see_may_not_change(staff, settings):
    settings.JOBQUEUE_CAN_VIEW = "tests.views.rights.nobody"
    settings.JOBQUEUE_CAN_OPERATE = "tests.views.rights.anybody"

    assert staff.post("/jobs/failed/clear/").status_code == 403


@pytest.mark.parametrize(
    "is_active, has_staff_status, allowed",
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_staff_is_active_and_has_the_status(is_active, has_staff_status, allowed):
    assert is_staff(SimpleNamespace(is_active=is_active, is_staff=has_staff_status)) is allowed


@page()
def bare_page(request):
    return HttpResponse("seen")


class SiteWithoutAdmin:
    urlpatterns = [path("bare/", bare_page), path("jobs/", (urls.urlpatterns, "jobqueue", "jobqueue"))]


def test_a_site_without_the_admins_addresses_logs_in_by_its_own(client, db, redis, settings):
    settings.ROOT_URLCONF = SiteWithoutAdmin
    settings.LOGIN_URL = "/log-in/"

    assert client.get("/bare/").url == "/log-in/?next=/bare/"


def test_a_site_without_the_admins_addresses_shows_the_pages(staff, settings):
    settings.ROOT_URLCONF = SiteWithoutAdmin

    response = staff.get("/jobs/")

    assert response.status_code == 200
    assert b"/admin/" not in response.content.replace(b"/static/admin/", b"")


def test_a_site_without_logins_sends_everybody_away(client, redis, settings):
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if "Authentication" not in name and "Message" not in name
    ]

    assert client.get("/jobs/").status_code == 302


@pytest.mark.parametrize("url", PAGES + ASKED_FIRST)
def test_a_redis_that_is_away_is_said_in_one_sentence(staff, url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://user:secret@127.0.0.1:1/0")

    response = staff.get(url)

    assert response.status_code == 503
    assert b"Redis at redis://user:***@127.0.0.1:1/0 cannot be reached" in response.content
    assert b"secret" not in response.content


def test_a_redis_that_is_nowhere_named_is_said_too(staff, monkeypatch):
    monkeypatch.delenv("REDIS_URL")

    response = staff.get("/jobs/")

    assert response.status_code == 503
    assert b"No Redis is named" in response.content


def test_a_redis_that_refuses_is_said_too(staff, redis):
    redis.set("resque:failed", "no list")

    response = staff.post("/jobs/failed/retry-all/")

    assert response.status_code == 503
    assert b"Redis answered: WRONGTYPE" in response.content
