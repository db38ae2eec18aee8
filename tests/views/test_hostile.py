"""Whatever stands in Redis, every page renders: with a line of complaint where something is broken."""

from __future__ import annotations

import json

import pytest

WORKER = "h:1:q"
TEXTS = {
    "empty": b"",
    "binary": bytes(range(256)),
    "half a character": b"\xe2\x82",
    "broken JSON": b'{"class":',
    "null": b"null",
    "number": b"3",
    "huge number": b"9" * 5_000,
    "not a number": b"NaN",
    "list": b"[1]",
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "empty object": b"{}",
    "surrogate": b'{"class":"\\ud800","args":["\\udfff"],"queue":"\\ud800","payload":{"class":"\\ud800"}}',
    "control characters": b'{"class":"\\u0000\\u001b\\u202e","args":["\\u0000"],"payload":{}}',
    "markup": b'{"class":"<script>alert(1)</script>","args":["</pre><img src=x>"],"queue":"\\"><b>"}',
    "wrong inside": json.dumps(
        {
            "class": ["x"],
            "args": {"a": 1},
            "failed_at": 3,
            "payload": {"class": {}, "args": 7, "raw": 3, "id": 5, "crashes": "x", "retry_of": []},
            "exception": [1],
            "error": {"x": 1},
            "backtrace": "a\nb",
            "worker": None,
            "queue": 5,
            "retried_at": False,
            "run_at": {"x": 1},
        }
    ).encode(),
    "odd backtrace": b'{"backtrace":[1,null,{"a":[]}],"payload":{"class":"A","args":[]},"queue":"q"}',
    "rails without a job": b'{"class":"ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper","args":[3]}',
    "huge": b'{"class":"%s","args":["%s"],"error":"%s"}' % (b"x" * 300_000, b"y" * 300_000, b"z" * 300_000),
    "odd times": b'{"failed_at":"9999/12/31 23:59:59 -14","retried_at":"0000/00/00 99:99:99","run_at":"now"}',
    "old times": b'{"failed_at":"0001/01/01 00:00:00 +14","run_at":"0001-01-01T00:00:00Z","payload":{}}',
    "ids": b'{"class":"A","args":[],"id":"~~~~~~~~~~~~~~~~~~~~~~","crashes":99999999999999,"retry_of":"\\n"}',
}
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
PAGES = [
    "",
    "working/",
    "failed/",
    "failed/?class=a",
    "failed/?class=%00%ff",
    "queues/",
    "queues/q/",
    "queues/~/",
    "workers/",
    "workers/?host=~FF",
    f"workers/{WORKER}/",
    "stats/",
    "stats/redis/",
    "stats/keys/",
    "stats.txt",
    "failed/retry-all/",
    "failed/clear/",
    "queues/q/remove/",
]


def assert_every_page_renders(staff, *more: str) -> None:
    for page in [*PAGES, *more]:
        response = staff.get(f"/jobs/{page}")
        assert response.status_code in (200, 404), page
        response.content.decode("utf-8")
        assert b"<script>alert" not in response.content
        assert b"<img" not in response.content
        assert b"\x00" not in response.content


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_hostile_texts_render(staff, redis, text):
    redis.sadd("resque:queues", "q")
    redis.sadd("resque:workers", WORKER)
    redis.rpush("resque:queue:q", text)
    redis.rpush("resque:failed", text)
    for key in ("stat:processed", "stat:failed", "pause-all-workers"):
        redis.set(f"resque:{key}", text)
    for key in ("", ":started"):
        redis.set(f"resque:worker:{WORKER}{key}", text)
    for key in ("stat:processed", "stat:failed"):
        redis.set(f"resque:{key}:{WORKER}", text)
    redis.hset("resque:workers:heartbeat", WORKER, text)
    redis.zadd("resque:runs", {"r": 1, text: 2})
    redis.hset("resque:inflight:r", mapping={"worker": WORKER, "1": text, "2": b"1:1:q" + text, text: "x"})

    assert_every_page_renders(staff, f"stats/keys/resque:worker:{WORKER}/", "stats/keys/resque:inflight:r/")


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_render(staff, redis, name):
    redis.sadd("resque:queues", name)
    redis.sadd("resque:paused", name)
    redis.rpush(b"resque:queue:" + name, b'{"class":"A","args":[]}')
    for worker in (name, b"h:" + name, b"h:1:" + name, name + b":1:q"):
        redis.sadd("resque:workers", worker)
        redis.set(b"resque:worker:" + worker, b'{"queue":"x","payload":{"class":"A","args":[]}}')

    assert_every_page_renders(staff)
    links = staff.get("/jobs/queues/").content.decode().split('href="/jobs/queues/')
    for link in {part.split('"')[0] for part in links[1:]}:
        assert staff.get(f"/jobs/queues/{link}").status_code == 200


FILLS = {
    "string": lambda redis, key: redis.set(key, "x"),
    "list": lambda redis, key: redis.rpush(key, "x"),
    "set": lambda redis, key: redis.sadd(key, "x"),
    "zset": lambda redis, key: redis.zadd(key, {"x": 1}),
    "hash": lambda redis, key: redis.hset(key, "x", "y"),
    "stream": lambda redis, key: redis.xadd(key, {"x": "y"}),
}
READ = [
    "queues",
    "queue:q",
    "workers",
    f"worker:{WORKER}",
    f"worker:{WORKER}:started",
    "workers:heartbeat",
    "pause-all-workers",
    "stat:processed",
    "stat:failed",
    f"stat:processed:{WORKER}",
    f"stat:failed:{WORKER}",
    "failed",
    "runs",
    "inflight:x",
    "paused",
]


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
def test_keys_of_other_types_render(staff, redis, fill):
    redis.sadd("resque:queues", "q")
    redis.sadd("resque:workers", WORKER)
    redis.zadd("resque:runs", {"x": 1})
    for key in READ:
        held = redis.dump(f"resque:{key}")
        redis.delete(f"resque:{key}")
        fill(redis, f"resque:{key}")

        assert_every_page_renders(staff, f"stats/keys/resque:{key}/")

        redis.delete(f"resque:{key}")
        if held:
            redis.restore(f"resque:{key}", 0, held)
