from __future__ import annotations

import pytest

from tests.goldenfiles import load


def test_what_rubys_worker_does_is_shown(staff, redis):
    load(redis, "worker_working")

    for url in ("/jobs/", "/jobs/working/", "/jobs/workers/", "/jobs/workers/vm:28413:emails,reports/"):
        text = staff.get(url).content.decode()
        assert '<span class="jq-class">SlowReport</span>' in text
        assert "1, &quot;monthly&quot;" in text


def test_no_worker_tells_how_to_start_one(staff):
    assert b"python manage.py jobworker" in staff.get("/jobs/workers/").content
    assert b"python manage.py jobworker" in staff.get("/jobs/working/").content


def test_hosts_are_shown_when_there_are_several(staff, redis):
    redis.sadd("resque:workers", "a:1:q", "a:2:q", "b:1:q")

    everything = staff.get("/jobs/workers/").content.decode()
    of_a = staff.get("/jobs/workers/?host=a").content.decode()

    assert 'href="?host=a"' in everything and 'href="?host=b"' in everything
    assert "a:2:q" in of_a and "b:1:q" not in of_a


def test_a_host_of_any_name_can_be_chosen(staff, redis):
    redis.sadd("resque:workers", b"\xff&x:1:q", "b:1:q")

    assert 'href="?host=~FF~26x"' in staff.get("/jobs/workers/").content.decode()
    assert b"/jobs/workers/b:1:q/" not in staff.get("/jobs/workers/?host=~FF~26x").content


def test_workers_come_in_pages(staff, redis):
    redis.sadd("resque:workers", *[f"h:{n:03}:q" for n in range(60)])

    assert staff.get("/jobs/workers/").content.count(b'class="jq-worker"') == 50
    assert staff.get("/jobs/workers/?page=2").content.count(b'class="jq-worker"') == 10


def test_a_worker_that_is_silent_is_marked(staff, redis):
    redis.sadd("resque:workers", "h:1:q")
    redis.hset("resque:workers:heartbeat", "h:1:q", "2026-01-01T00:00:00+00:00")

    for url in ("/jobs/", "/jobs/workers/", "/jobs/workers/h:1:q/"):
        assert b">silent</span>" in staff.get(url).content


def test_no_heartbeat_is_said(staff, redis):
    redis.sadd("resque:workers", "h:1:q")

    assert b"no heartbeat" in staff.get("/jobs/workers/").content
    assert b"no heartbeat" in staff.get("/jobs/workers/h:1:q/").content


def test_what_a_worker_has_in_flight_is_shown(staff, redis):
    redis.sadd("resque:workers", "h:1:q")
    redis.zadd("resque:runs", {"r": 1})
    redis.hset("resque:inflight:r", mapping={"worker": "h:1:q", "7": b'0:1:q{"class":"Waiting","args":[]}'})

    assert b'jq-class">Waiting<' in staff.get("/jobs/workers/h:1:q/").content


def test_a_worker_that_is_gone_is_said(staff):
    response = staff.get("/jobs/workers/h:1:q/")

    assert response.status_code == 404
    assert b"No worker h:1:q is registered" in response.content


@pytest.mark.parametrize("url", ["/jobs/", "/jobs/working/"])
def test_the_busy_come_first(staff, redis, url):
    redis.sadd("resque:workers", "a:1:q", "b:1:q")
    redis.set("resque:worker:b:1:q", '{"queue":"q","payload":{"class":"A","args":[]}}')

    text = staff.get(url).content.decode()

    assert "1 of 2 workers working" in text
    assert "a:1:q" not in text.split("b:1:q")[0]
