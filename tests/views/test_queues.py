from __future__ import annotations

import re

import pytest


def test_queues_are_listed_with_their_sizes_and_total(staff, redis):
    redis.sadd("resque:queues", "a", "b")
    redis.rpush("resque:queue:a", *range(1_234))

    text = staff.get("/jobs/queues/").content.decode()

    assert re.findall(r'class="jq-number">([\d,]+)', text) == ["1,234", "0", "1,234", "0"]


def test_no_queue_tells_how_one_begins(staff):
    assert b"It appears here with its first job" in staff.get("/jobs/queues/").content


def test_a_queues_jobs_are_shown_by_position(staff, redis):
    redis.rpush("resque:queue:q", *[b'{"class":"Job%d","args":[]}' % n for n in range(25)])

    text = staff.get("/jobs/queues/q/?page=2").content.decode()

    assert re.findall(r'jq-class">(\w+)<', text) == [f"Job{n}" for n in range(20, 25)]
    assert re.findall(r'jq-number quiet">(\d+)', text) == [str(n) for n in range(21, 26)]


@pytest.mark.parametrize("name, segment", [("a/b", "a~2Fb"), ("..", "~2E~2E"), ("", "~"), (b"\xff", "~FF")])
def test_a_queue_of_any_name_has_a_page(staff, redis, name, segment):
    redis.sadd("resque:queues", name)

    assert f'href="/jobs/queues/{segment}/"' in staff.get("/jobs/queues/").content.decode()
    assert b"Nothing waits in this queue" in staff.get(f"/jobs/queues/{segment}/").content


def test_an_unknown_queue_is_said(staff):
    assert b"There is no queue of this name" in staff.get("/jobs/queues/none/").content


def test_a_queue_is_paused_and_resumed(staff, redis):
    redis.sadd("resque:queues", "q")

    response = staff.post("/jobs/queues/q/pause/", follow=True)
    assert b"Queue q is paused" in response.content
    assert redis.smembers("resque:paused") == {b"q"}

    staff.post("/jobs/queues/q/resume/")
    assert redis.smembers("resque:paused") == set()


def test_a_queue_is_removed_with_its_jobs(staff, redis):
    redis.sadd("resque:queues", "q")
    redis.rpush("resque:queue:q", "a", "b")

    assert b"removed with the 2 jobs that wait in it" in staff.get("/jobs/queues/q/remove/").content
    response = staff.post("/jobs/queues/q/remove/", follow=True)

    assert b"Queue q was removed" in response.content
    assert redis.keys("*") == []
