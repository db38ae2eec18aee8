from __future__ import annotations

import json
import socket
import time

import pytest
from django.db import DatabaseError
from django.test import Client
from redis.exceptions import ResponseError

from jobqueue.views import health
from tests.inspection.test_health import register, wait

URL = "/jobs/health.json"
BEARER = {"HTTP_AUTHORIZATION": "Bearer s3cret"}


@pytest.fixture
def token(settings):
    """Set the token that BEARER sends."""
    settings.JOBQUEUE_HEALTH_TOKEN = "s3cret"


@pytest.fixture
def stranger(redis) -> Client:
    """A client that is not logged in, and an empty Redis; no database is there to ask."""
    return Client()


@pytest.fixture
def silent_port():
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def answer(client, **options):
    response = client.get(URL, **options)
    return response.status_code, json.loads(response.content)


def test_anybody_is_told_the_status_and_nothing_else(stranger, redis):
    assert answer(stranger) == (200, {"status": "ok"})

    wait(redis, "mail", "x")
    assert answer(stranger) == (503, {"status": "failing"})


def test_a_delayed_job_that_nobody_promotes_is_a_problem(staff, redis):
    redis.zadd("resque:later", {"a": (redis.time()[0] - 100) * 1000})

    status, told = answer(staff)

    assert status == 503
    assert told["problems"][0].startswith("A delayed job has been due for 10")
    assert told["problems"][0].endswith(" s: no scheduler promotes it.")


def test_staff_are_told_the_figures(staff, redis):
    register(redis, "host:1:mail")
    register(redis, "host:2:mail", seconds_ago=3600)
    wait(redis, "mail", "a", "b")
    wait(redis, "low", "c")
    redis.sadd("resque:paused", "low")
    redis.rpush("resque:failed", "x")

    assert answer(staff) == (
        200,
        {
            "status": "ok",
            "problems": [],
            "redis": True,
            "workers_alive": 1,
            "workers_silent": 1,
            "waiting": 3,
            "failed": 1,
            "delayed": 0,
            "late_seconds": 0.0,
            "all_paused": False,
            "paused": ["low"],
            "unattended": {},
            "silent": ["host:2:mail"],
            "complaints": [],
        },
    )


@pytest.mark.usefixtures("token")
def test_jobs_that_nobody_will_perform_are_a_problem(stranger, redis):
    register(redis, "host:1:mail")
    wait(redis, "reports", "a", "b")

    status, body = answer(stranger, **BEARER)

    assert (status, body["status"], body["unattended"]) == (503, "failing", {"reports": 2})
    assert body["problems"] == ["No living worker listens to reports, where jobs wait: 2."]


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("sent", "knows"),
    [
        ("Bearer s3cret", True),
        ("bearer  s3cret ", True),
        ("Bearer S3cret", False),
        ("Bearer", False),
        ("Bearer \xe9", False),
        ("Basic s3cret", False),
        ("s3cret", False),
        ("", False),
    ],
)
def test_the_token_opens_the_details(stranger, sent, knows):
    status, body = answer(stranger, HTTP_AUTHORIZATION=sent)

    assert (status, "workers_alive" in body) == (200, knows)


@pytest.mark.parametrize("setting", [None, ""])
def test_without_a_token_in_the_settings_none_is_right(stranger, settings, setting):
    settings.JOBQUEUE_HEALTH_TOKEN = setting

    for sent in ("Bearer ", "Bearer None", "Bearer"):
        assert answer(stranger, HTTP_AUTHORIZATION=sent) == (200, {"status": "ok"})


@pytest.mark.usefixtures("token")
def test_the_token_opens_the_text_for_monitors_and_no_page(stranger):
    assert stranger.get("/jobs/stats.txt", **BEARER).content.startswith(b"resque.pending=0")
    assert stranger.get("/jobs/", **BEARER).status_code == 302


@pytest.mark.usefixtures("token")
def test_a_redis_that_is_away_is_told_without_its_password(stranger, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://:secret@127.0.0.1:1/0"

    status, body = answer(stranger, **BEARER)

    assert (status, body["status"], body["redis"]) == (503, "failing", False)
    assert body["problems"][0].startswith("Redis at redis://:***@127.0.0.1:1/0 cannot be reached")
    assert answer(stranger) == (503, {"status": "failing"})


def test_a_redis_that_gives_no_answer_costs_no_more_than_its_timeout(stranger, settings, silent_port):
    settings.JOBQUEUE_REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    settings.JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 0.2
    begun = time.monotonic()

    assert answer(stranger) == (503, {"status": "failing"})
    assert time.monotonic() - begun < 10


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ResponseError("BUSY a script runs"), "Redis answered: BUSY a script runs"),
        (RuntimeError("secret"), "This cannot be told: RuntimeError."),
    ],
)
def test_whatever_goes_wrong_is_an_answer(stranger, monkeypatch, error, said):
    def fail(*_):
        raise error

    monkeypatch.setattr(health, "look", fail)

    status, body = answer(stranger, **BEARER)

    assert (status, body) == (503, {"status": "failing", "problems": [said], "redis": False})


def test_a_site_whose_users_cannot_be_asked_is_told_its_status(staff, settings, caplog):
    settings.JOBQUEUE_CAN_VIEW = "tests.views.test_health.without_database"

    assert answer(staff) == (200, {"status": "ok"})
    assert "health.json cannot tell who asks" in caplog.text


def without_database(user):
    raise DatabaseError("the database is away")


def test_a_load_balancer_may_ask_for_redis_alone(stranger, redis, settings, monkeypatch):
    wait(redis, "mail", "x")
    monkeypatch.setattr(health, "look", None)

    assert stranger.get(URL, {"only": "redis"}).status_code == 200

    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1/0"
    assert stranger.get(URL, {"only": "redis"}).status_code == 503


@pytest.mark.usefixtures("token")
def test_names_are_shown_as_text_and_not_without_end(stranger, redis):
    wait(redis, b"\xff\n" + b"x" * 300, "x")
    for number in range(30):
        wait(redis, f"q{number:02}", "x")

    status, body = answer(stranger, **BEARER)

    assert len(body["problems"]) == len(body["unattended"]) == health.MOST_NAMES
    redis.delete("resque:queues")
    wait(redis, b"\xff\n" + b"x" * 300, "x")
    assert list(answer(stranger, **BEARER)[1]["unattended"]) == ["\\xff\\x0a" + "x" * 198]


@pytest.mark.usefixtures("token")
def test_a_site_that_asks_everybody_to_log_in_lets_monitors_through(stranger, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]

    assert answer(stranger) == (200, {"status": "ok"})
    assert stranger.get("/jobs/stats.txt", **BEARER).status_code == 200


def test_the_answer_is_kept_by_no_cache(stranger):
    assert "no-store" in stranger.get(URL).headers["Cache-Control"]


def test_a_site_without_users_is_told_its_status(stranger, settings):
    settings.MIDDLEWARE = []

    assert answer(stranger) == (200, {"status": "ok"})
