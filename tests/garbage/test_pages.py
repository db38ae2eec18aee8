"""Whatever stands in Redis, every page answers, soon, and with something that can be looked at."""

from __future__ import annotations

import re
import time
from itertools import cycle

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import get_resolver

from jobqueue import rubyjson
from jobqueue.failure import Failure
from jobqueue.views.converters import NameConverter
from tests.garbage.corpus import HUGE, RUBYS, TEXTS, TYPES
from tests.garbage.places import DEAD, KEYS, PLACES, WORKER

LARGEST_PAGE = 3_000_000
LONGEST_SECONDS = 60.0
"""So long may all pages together take, on a machine that has other things to do."""
NAMES = NameConverter()
LISTED = [
    "",
    "working/",
    "failed/",
    "failed/?class=x",
    "retries/",
    "retries/?from=1",
    "delayed/",
    "delayed/?class=x",
    "schedule/",
    "schedule/each/",
    "queues/",
    "queues/work/",
    "workers/",
    f"workers/{WORKER}/",
    f"workers/{WORKER}/prune/",
    "workers/prune/",
    "stats/",
    "stats/keys/",
    "stats/locks/",
    "stats.txt",
    "health.json",
]
RARE = [
    "workers/?host=h",
    "stats/redis/",
    "stats/keys/?holding=x",
    "failed/retry-all/",
    "failed/clear/",
    "failed/clear-retried/",
    "delayed/clear/",
    "schedule/each/remove/",
    "queues/work/remove/",
]
"""Pages that read nothing else than those before."""
KEY_PAGES = {name: f"stats/keys/{NAMES.to_url(place.key)}/" for name, place in PLACES.items()}
NAMES_HELD = {"queues", "workers", "paused", "runs", "inflight", "fired", "persistent_schedules"} | {
    "last_enqueued",
    "paused_schedule",
    "schedules_changed",
}
"""Where a text is a name, or a part of one."""
POSTED = [
    "failed/retry/",
    "failed/remove/",
    "retries/retry-now/",
    "retries/remove/",
    "delayed/enqueue/",
    "delayed/remove/",
    "schedule/each/run/",
    "schedule/each/pause/",
    "schedule/each/resume/",
    "queues/work/pause/",
    "queues/work/resume/",
    "stats/locks/release/",
]


@pytest.fixture
def staff(db, redis) -> Client:
    """A client logged in as a member of the staff."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("maria", is_staff=True))
    return client


def assert_every_page_answers(staff: Client, *more: str) -> None:
    for page in [*LISTED, *more]:
        response = staff.get(f"/jobs/{page}")
        expected = (200, 503) if page == "health.json" else (200, 404) if "workers/h" in page else (200,)
        if page.startswith("schedule/each/"):
            # Back to the list, or told so, where there is no such entry
            expected = (200, 302, 404)
        assert response.status_code in (*expected, 404 if page.startswith("stats/keys/") else 200), page
        text = response.content.decode("utf-8")
        assert len(text) < LARGEST_PAGE, page
        if response["Content-Type"].startswith("text/html"):
            assert not re.search("<script>alert|<img", text), page
        assert not re.search("[\x00\x1b\u202e]", text), page


def test_every_address_of_the_dashboard_is_looked_at():
    seen = {page.partition("?")[0] for page in [*LISTED, *RARE, *POSTED, *KEY_PAGES.values()]}
    patterns = get_resolver("jobqueue.urls").url_patterns

    forgotten = [each.name for each in patterns if not any(each.pattern.match(page) for page in seen)]

    assert forgotten == []


def fill(redis, text: bytes) -> None:
    for place in PLACES.values():
        place.take(redis, text)
    redis.sadd("resque:queues", "work")
    redis.sadd("resque:workers", WORKER)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_page_answers_whatever_text_stands_everywhere(staff, redis, text):
    fill(redis, text)
    name = NAMES.to_url(text.decode("utf-8", "surrogateescape"))

    own = [f"queues/{name}/", f"workers/{name}/", f"stats/keys/resque:queue:{name}/"]
    assert_every_page_answers(staff, *own, KEY_PAGES["queue"], KEY_PAGES["inflight"])


def test_every_page_answers_with_all_of_rubys_texts(staff, redis):
    for text in RUBYS.values():
        fill(redis, text)

    assert_every_page_answers(staff, *RARE, *KEY_PAGES.values())


@pytest.mark.parametrize("type", TYPES)
def test_every_page_answers_whatever_type_a_key_has(staff, redis, type):
    fill(redis, b"{}")
    for name, place in PLACES.items():
        if place.type == type:
            continue
        held = redis.dump(place.key)
        redis.delete(place.key)
        TYPES[type](redis, place.key)

        assert_every_page_answers(staff, KEY_PAGES[name])
        for page in POSTED:
            assert staff.post(f"/jobs/{page}").status_code in (302, 503), page

        redis.delete(place.key)
        redis.restore(place.key, 0, held)


def test_every_page_answers_soon_and_shortly_whatever_stands_there_in_10_mb(staff, redis):
    for make, place in zip(cycle(HUGE.values()), sorted(set(PLACES) - NAMES_HELD), strict=False):
        PLACES[place].take(redis, make())
    for make in HUGE.values():
        PLACES["queue"].take(redis, make())
        PLACES["failed"].take(redis, make())
    fill(redis, b"{}")

    began = time.monotonic()
    assert_every_page_answers(staff, *RARE, *KEY_PAGES.values())
    assert time.monotonic() - began < LONGEST_SECONDS


@pytest.mark.parametrize("kind", ["one odd byte", "commas"])
def test_every_page_answers_soon_and_shortly_whatever_is_named_in_10_mb(staff, redis, kind):
    for place in NAMES_HELD:
        PLACES[place].take(redis, HUGE[kind]())

    began = time.monotonic()
    assert_every_page_answers(staff)
    assert time.monotonic() - began < LONGEST_SECONDS


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_failure_can_be_retried_or_is_left_and_can_be_removed(staff, redis, text):
    redis.rpush(KEYS.failed, b"before", text, b"after")

    assert staff.post("/jobs/failed/retry/", named(text)).status_code == 302
    before, now, after = redis.lrange(KEYS.failed, 0, -1)
    if now != text:
        assert rubyjson.decode(now)["retried_at"]
        assert sum(redis.llen(b"resque:queue:" + name) for name in redis.smembers(KEYS.queues)) == 1

    assert staff.post("/jobs/failed/remove/", named(now)).status_code == 302
    assert redis.lrange(KEYS.failed, 0, -1) == [before, after] == [b"before", b"after"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_worker_of_ruby_can_be_pruned_whatever_stands_everywhere(staff, redis, text):
    fill(redis, text)
    redis.delete(KEYS.pruning, KEYS.runs)

    assert staff.post(f"/jobs/workers/{WORKER}/prune/").status_code == 302

    assert not redis.sismember(KEYS.workers, WORKER)
    assert rubyjson.decode(redis.lindex(KEYS.failed, -1))["worker"] == WORKER


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_worker_of_ours_stays_whose_jobs_nobody_can_read(staff, redis, text):
    fill(redis, text)
    held = redis.hgetall(KEYS.inflight(DEAD))

    response = staff.post(f"/jobs/workers/{WORKER}/prune/", follow=True)

    assert f"Worker {WORKER} stays: " in response.content.decode()
    assert redis.hgetall(KEYS.inflight(DEAD)) == held


def named(text: bytes) -> dict[str, str]:
    """Return the form that the button beside a failure sends."""
    return {"index": "1", "digest": Failure.parse(text).digest}


def test_all_failures_at_once_can_be_retried_and_those_that_were_can_be_removed(staff, redis):
    entries = [*TEXTS.values(), *RUBYS.values()]
    redis.rpush(KEYS.failed, *entries)

    assert staff.post("/jobs/failed/retry-all/").status_code == 302
    left = redis.lrange(KEYS.failed, 0, -1)
    retried = sum(redis.llen(b"resque:queue:" + name) for name in redis.smembers(KEYS.queues))
    assert retried == sum(now != text for now, text in zip(left, entries, strict=True)) > 0

    assert staff.post("/jobs/failed/clear-retried/").status_code == 302
    assert all(text in entries for text in redis.lrange(KEYS.failed, 0, -1))
    assert staff.post("/jobs/failed/clear/").status_code == 302
    assert not redis.exists(KEYS.failed)
