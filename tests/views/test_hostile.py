"""Whatever a queue or worker is called, every page renders and its links lead somewhere.

``tests/garbage`` has hostile texts and types in every key.
"""

from __future__ import annotations

import pytest

from tests.garbage.test_pages import assert_every_page_answers

NAMES = [
    b"",
    b".",
    b"..",
    b"/",
    b"a/../b",
    b"\xff\xfe",
    b"\x00",
    b"\n",
    b"~",
    b"<b>",
    b"?x=1#y",
    b"x" * 5_000,
]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_render(staff, redis, name):
    redis.sadd("resque:queues", name)
    redis.sadd("resque:paused", name)
    redis.rpush(b"resque:queue:" + name, b'{"class":"A","args":[]}')
    for worker in (name, b"h:" + name, b"h:1:" + name, name + b":1:q"):
        redis.sadd("resque:workers", worker)
        redis.set(b"resque:worker:" + worker, b'{"queue":"x","payload":{"class":"A","args":[]}}')

    assert_every_page_answers(staff, "queues/~/", "workers/?host=~FF", "failed/?class=%00%ff")
    links = staff.get("/jobs/queues/").content.decode().split('href="/jobs/queues/')
    for link in {part.split('"')[0] for part in links[1:]}:
        assert staff.get(f"/jobs/queues/{link}").status_code == 200
