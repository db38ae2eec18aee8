from __future__ import annotations

import time

import pytest

from jobqueue import clock
from jobqueue.payload import Job, encode
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.pushing import push
from tests.goldenfiles import load

LONG_AGO = "2026-01-01T00:00:00+00:00"
SHOWN = '{"queue":"q","run_at":"x","payload":{"class":"A","args":[]}}'


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


def register(redis, worker_id, seconds_ago=None, shown=None):
    """Register a worker whose last heartbeat came so long ago; None for never."""
    redis.sadd("resque:workers", worker_id)
    if seconds_ago is not None:
        beat = clock.heartbeat(time.time() - seconds_ago)
        redis.hset("resque:workers:heartbeat", worker_id, beat)
    if shown:
        redis.set(f"resque:worker:{worker_id}", shown)


# Silent workers


@pytest.mark.parametrize("url", ["/jobs/", "/jobs/working/"])
def test_a_silent_worker_counts_neither_as_one_nor_as_working(staff, redis, url):
    register(redis, "a:1:q", 1, SHOWN)
    register(redis, "a:2:q", 1)
    register(redis, "a:3:q", 600, SHOWN)

    text = staff.get(url).content.decode()

    assert "1 of 2 workers working, 1 silent" in text
    assert text.index("a:1:q") < text.index("a:3:q")


def test_workers_that_send_no_heartbeats_count_as_ever(staff, redis):
    """Old workers of Ruby do not."""
    register(redis, "a:1:q", None, SHOWN)

    text = staff.get("/jobs/working/").content.decode()

    assert "1 of 1 workers working" in text
    assert "workers working, " not in text


def test_silent_workers_alone_do_no_work(staff, redis):
    register(redis, "a:1:q", 600)

    assert b"No worker is running. Start one" in staff.get("/jobs/working/").content


def test_hosts_tell_of_their_silent_workers(staff, redis):
    register(redis, "a:1:q", 1, SHOWN)
    register(redis, "a:2:q", 600, SHOWN)
    register(redis, "b:1:q", 600)

    text = staff.get("/jobs/workers/").content.decode()

    rows = [part.split("</tr>")[0] for part in text.split('<a href="?host=')[1:]]
    assert [[cell.split("<")[0] for cell in row.split('jq-number">')[1:]] for row in rows] == [
        ["1", "1", "1"],
        ["0", "0", "1"],
    ]


def test_the_totals_are_resques_and_tell_of_the_silent(staff, redis):
    register(redis, "a:1:q", 600, SHOWN)

    assert "Silent workers" in staff.get("/jobs/stats/").content.decode()
    assert "resque.workers=1\nresque.working=1" in staff.get("/jobs/stats.txt").content.decode()


# Pruning


def test_only_one_that_may_be_dead_can_be_pruned(staff, redis):
    register(redis, "a:1:q", 1)
    register(redis, "a:2:q", 600)
    register(redis, "a:3:q")

    offered = [b"Prune worker" in staff.get(f"/jobs/workers/a:{n}:q/").content for n in (1, 2, 3)]
    response = staff.post("/jobs/workers/a:1:q/prune/", follow=True)

    assert offered == [False, True, True]
    assert b"Worker a:1:q lives: it has sent a heartbeat" in response.content
    assert redis.scard("resque:workers") == 3


def test_who_may_only_see_is_offered_no_pruning(reader, redis):
    register(redis, "a:1:q", 600)

    for url in ("/jobs/workers/", "/jobs/workers/a:1:q/"):
        assert b"Prune" not in reader.get(url).content


def test_a_worker_of_ruby_is_pruned_after_a_question(staff, redis):
    register(redis, "a:1:q", 600, SHOWN)

    question = staff.get("/jobs/workers/a:1:q/prune/").content
    response = staff.post("/jobs/workers/a:1:q/prune/", follow=True)

    assert b"The last heartbeat of worker a:1:q came" in question
    assert b"the job that it had becomes a failure" in question
    assert b"Worker a:1:q was pruned." in response.content
    assert redis.keys("*") == [b"resque:failed"]


def test_what_may_be_an_old_worker_is_asked_about(staff, redis):
    register(redis, "a:1:q")

    assert b"has never sent a heartbeat" in staff.get("/jobs/workers/a:1:q/prune/").content


def run_of_ours(redis, link):
    push("q", [encode(Job("A", []))])
    run = Run(link, "a:1:q")
    run.register(0.0)
    run.claim(["q"], 1, Endings())
    redis.hset("resque:workers:heartbeat", "a:1:q", LONG_AGO)
    return run


def test_a_worker_of_ours_is_recovered(staff, redis, link):
    redis.zadd("resque:runs", {run_of_ours(redis, link).name: 1})

    question = staff.get("/jobs/workers/a:1:q/prune/").content
    response = staff.post("/jobs/workers/a:1:q/prune/", follow=True)

    assert b"jobs may be performed twice" in question
    assert b"What it had in flight waits again" in response.content
    assert redis.lrange("resque:queue:q", 0, -1) == [b'{"class":"A","args":[],"crashes":1}']
    assert not redis.exists("resque:workers", "resque:runs")


def test_a_worker_of_ours_whose_run_lives_is_left_alone(staff, redis, link):
    run = run_of_ours(redis, link)

    response = staff.post("/jobs/workers/a:1:q/prune/", follow=True)

    assert b"Worker a:1:q lives" in response.content
    assert run.tokens() == {1}


def test_while_ruby_prunes_one_is_asked_to_wait(staff, redis):
    register(redis, "a:1:q", 600)
    redis.set("resque:pruning_dead_workers_in_progress", "x", ex=60)

    response = staff.post("/jobs/workers/a:1:q/prune/", follow=True)

    assert b"A worker of Ruby is pruning now, so worker a:1:q stays" in response.content


def test_a_worker_that_is_gone_cannot_be_pruned(staff):
    assert staff.post("/jobs/workers/a:1:q/prune/").status_code == 404


def test_all_silent_workers_are_pruned_after_a_question(staff, redis, link):
    redis.zadd("resque:runs", {run_of_ours(redis, link).name: 1})
    register(redis, "a:2:q", 600, SHOWN)
    register(redis, "a:3:q", 1)
    register(redis, "a:4:q")

    assert b"Prune silent workers" in staff.get("/jobs/workers/").content
    assert b"All 2 silent workers will be taken for dead" in staff.get("/jobs/workers/prune/").content
    response = staff.post("/jobs/workers/prune/", follow=True)

    assert b"Silent workers that were pruned: 2." in response.content
    assert redis.smembers("resque:workers") == {b"a:3:q", b"a:4:q"}


def test_without_silent_workers_there_is_nothing_to_prune(staff, redis):
    register(redis, "a:1:q", 1)

    assert b"No worker is silent now." in staff.get("/jobs/workers/prune/").content


def test_of_very_many_silent_workers_as_many_are_pruned_as_there_is_time_for(staff, redis, monkeypatch):
    monkeypatch.setattr("jobqueue.views.workers.PRUNING_SECONDS", -1.0)
    register(redis, "a:1:q", 600)

    response = staff.post("/jobs/workers/prune/", follow=True)

    assert b"There are too many for one step. Prune again." in response.content
    assert redis.scard("resque:workers") == 1
