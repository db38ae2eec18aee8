"""Whatever stands in Redis, a worker lives on, and every payload is performed, failed, or where it was."""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import redis as redis_client

from jobqueue import job as define
from jobqueue import rubyjson
from jobqueue.attention import Attention
from jobqueue.forkingworker import ForkingWorker
from jobqueue.patience import Patience
from jobqueue.patterns import QueueList
from jobqueue.payload import decode
from jobqueue.recovering import Recoverer
from jobqueue.sharedpage import SharedPage
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions
from tests.garbage.corpus import HUGE, RUBYS, TEXTS, TYPES, job
from tests.garbage.places import KEYS, PLACES, WRONG_TYPES

pytestmark = pytest.mark.usefixtures("own_title")

MUST_BE_REPAIRED = {"runs", "failed", "queues"}
"""Without living runs, a place for failures, or queues to find, a worker says so and waits for the repair."""
KNOWN = {"tests.sample.jobs.record", "Newsletter", "Thumbnailer", "Emailer", "Importer"}
GOOD = job("good")
BAD = b"no job"
SOME_HUGE = ("one odd byte", "a text", "numbers", "a queue")


class Site:
    """A worker of all queues, and all that Redis holds around it."""

    def __init__(self, redis: redis_client.Redis, attention: Attention) -> None:
        self.redis = redis
        self.attention = attention
        self.put: list[bytes] = []

    def enqueue(self, *payloads: bytes, queue: bytes = b"work") -> None:
        self.redis.sadd(KEYS.queues, queue)
        self.redis.rpush(b"resque:queue:" + queue, *payloads)

    def make_worker(self, kind: type[Worker] = Worker) -> Worker:
        return kind(WorkerOptions(queues=QueueList.parse("work,*")), self.attention, SharedPage(), 0.0)

    def work_off(self, kind: type[Worker] = Worker) -> None:
        """Let a worker begin, do all that it finds, and leave."""
        worker = self.make_worker(kind)
        while worker.turn():
            pass
        worker.leave()

    def recover(self) -> None:
        """Let a supervisor recover what is dead."""
        recoverer = Recoverer(Patience(self.attention, "supervisor"))
        recoverer._steady_since = -1e9
        recoverer.heartbeat_now(list)
        recoverer.close()

    def kept(self) -> Counter[bytes]:
        """Return every payload that waits, has failed, or is in flight, byte for byte."""
        return Counter([*self.waiting(), *map(payload_of, self.failures()), *self.held()])

    def waiting(self) -> Iterator[bytes]:
        for key in self.redis.keys("resque:queue:*"):
            if self.redis.type(key) == b"list":
                yield from self.redis.lrange(key, 0, -1)

    def held(self) -> Iterator[bytes]:
        for key in self.redis.keys("resque:inflight:*"):
            if self.redis.type(key) == b"hash":
                yield from (unheld(value) for value in self.redis.hvals(key))

    def failures(self) -> list[bytes]:
        """Return the failures that workers of this process have written."""
        if self.redis.type(KEYS.failed) != b"list":
            return []
        ours = b':%d:work,*","queue":' % os.getpid()
        return [entry for entry in self.redis.lrange(KEYS.failed, 0, -1) if ours in entry]


def unheld(value: bytes) -> bytes:
    """Return the payload of a job in flight, or the text as it stands."""
    found = re.match(rb"[01]:(\d{1,4}):", value)
    return value[found.end() + int(found[1]) :] if found else value


def payload_of(entry: bytes) -> bytes:
    """Return the text that has failed, as it stood in its queue."""
    text = entry[entry.index(b'"payload":') + len(b'"payload":') : entry.rindex(b',"exception":')]
    if not text.startswith(b'{"class":null,"args":[],"raw":'):
        return text
    fields = rubyjson.decode(text)
    return base64.b64decode(fields["base64"]) if "base64" in fields else fields["raw"].encode()


def assert_nothing_vanished(site: Site, put: Counter[bytes], performed: int) -> None:
    """Every payload is where it was, in flight, in Failed, or was performed."""
    missing = put - site.kept()
    unknown = [text for text in missing if decode(text).name not in KNOWN]
    assert not unknown
    assert missing.total() == performed


@pytest.fixture
def site(redis, attention) -> Site:
    return Site(redis, attention)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_whatever_text_stands_everywhere_nothing_dies_and_nothing_vanishes(site, redis, done, text):
    for place in PLACES.values():
        place.take(redis, text)
    site.enqueue(GOOD, text)
    site.enqueue(GOOD, queue=text)
    site.enqueue(GOOD, queue=b"other")
    if text == b"true":
        redis.delete(KEYS.pause_all)
    put = site.kept()

    site.work_off()
    site.recover()
    site.work_off()

    assert_nothing_vanished(site, put, len(done))
    assert done.count(("record", "good")) >= 2
    assert text in redis.lrange(KEYS.failed, 0, -1)


@pytest.mark.parametrize("kind", [Worker, ForkingWorker])
def test_every_text_becomes_a_job_or_a_failure(site, redis, done, kind):
    texts = [*TEXTS.values(), *RUBYS.values()][:: 1 if kind is Worker else 4]
    site.enqueue(*texts)

    site.work_off(kind)

    assert redis.get(KEYS.stat("processed")) == str(len(texts)).encode()
    performed = len(texts) - redis.llen(KEYS.failed)
    assert 0 < performed < len(texts) / 2
    assert_nothing_vanished(site, Counter(texts), performed)


def test_10_mb_of_anything_become_a_job_or_a_failure(site, redis, done):
    texts = [HUGE[name]() for name in SOME_HUGE]
    site.enqueue(*texts)

    site.work_off()

    assert redis.llen(b"resque:queue:work") == 0
    assert_nothing_vanished(site, Counter(texts), len(done))


@pytest.mark.parametrize(("name", "type"), WRONG_TYPES)
def test_whatever_type_a_key_has_nothing_dies_and_nothing_vanishes(
    site, redis, done, monkeypatch, name, type
):
    for place in PLACES.values():
        place.take(redis, b"{}")
    redis.delete(KEYS.pause_all)
    for queue in (b"work", b"other"):
        site.enqueue(GOOD, BAD, GOOD, queue=queue)
    redis.delete(PLACES[name].key)
    TYPES[type](redis, PLACES[name].key)
    put = site.kept()
    repairs = []

    def repair(seconds: float, *fds: int) -> None:
        repairs.append(redis.delete(PLACES[name].key))
        redis.sadd(KEYS.queues, "work", "other")

    monkeypatch.setattr(site.attention, "sleep", repair)

    site.work_off()
    site.recover()

    assert bool(repairs) == (name in MUST_BE_REPAIRED)
    assert_nothing_vanished(site, put, len(done))
    assert len(done) >= 2


# What happens to a worker's own run under its hands


Harm = Callable[[redis_client.Redis, bytes], object]


def set_field(field: bytes, value: bytes = b"x") -> Harm:
    return lambda redis, key: redis.hset(key, field, value)


def hold_as(value: bytes) -> Harm:
    """Return what makes something else of every job that is in flight."""

    def harm(redis: redis_client.Redis, key: bytes) -> None:
        for token in set(redis.hkeys(key)) - {b"worker", b"next"}:
            redis.hset(key, token, value)

    return harm


def become(type: str) -> Harm:
    def harm(redis: redis_client.Redis, key: bytes) -> None:
        redis.delete(key)
        TYPES[type](redis, key)

    return harm


HARM = {
    **{
        f"a field {field!r}": set_field(field) for field in (b"", b"x", b"\xff", b"1_0", b" 7 ", b"9" * 5_000)
    },
    "a field of another run": set_field(b"999", b"0:4:work{}"),
    "another worker": set_field(b"worker", b"\xff"),
    "a next that is no number": set_field(b"next"),
    "held by nobody": hold_as(b"2:1:q{}"),
    "held beyond its end": hold_as(b"0:99:q{}"),
    "held for long": hold_as(b"0:%s:q{}" % (b"9" * 400)),
}


@pytest.fixture
def harmed(site, redis, own_registry) -> Callable[..., None]:
    """Return a function that lets a worker work while the second of its jobs does some harm."""

    def work(kind: type[Worker], harm: Harm) -> None:
        define(name="count", queue="work")(lambda: redis.incr("counted"))
        define(name="alone", queue="work", batch=False)(lambda: redis.incr("counted"))
        define(name="harm", queue="work")(
            lambda: [harm(redis, key) for key in redis.keys("resque:inflight:*")]
        )
        worker = site.make_worker(kind)
        site.enqueue(*map(named, ("count", "harm", "alone", "count")))
        while worker.turn():
            worker._in_flight._run._link.close()
        site.enqueue(*map(named, ("count", "alone")))
        while worker.turn():
            pass
        worker.leave()

    return work


def named(name: str) -> bytes:
    return json.dumps({"class": name, "args": []}).encode()


@pytest.mark.parametrize("kind", [Worker, ForkingWorker])
@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_worker_lives_on_whatever_happens_to_its_run(redis, harmed, harm, kind):
    harmed(kind, harm)

    left = sum(redis.hlen(key) for key in redis.keys("resque:inflight:*"))
    assert int(redis.get("counted")) + left >= 5


@pytest.mark.parametrize("kind", [Worker, ForkingWorker])
def test_a_worker_lives_on_when_its_run_is_removed(redis, harmed, kind):
    harmed(kind, lambda redis, key: redis.delete(key))

    assert int(redis.get("counted")) >= 4


@pytest.mark.parametrize("type", sorted(TYPES.keys() - {"hash"}))
def test_a_worker_says_what_has_become_of_its_run_and_waits_for_the_repair(
    site, redis, harmed, monkeypatch, caplog, type
):
    repairs = []

    def repair(seconds: float) -> None:
        repairs.append(redis.delete(*redis.keys("resque:inflight:*")) if len(repairs) == 1 else 0)

    monkeypatch.setattr(site.attention, "sleep", repair)

    harmed(Worker, become(type))

    assert len(repairs) == 2
    assert "is no hash any more: remove it" in caplog.text
    # One of them was not performed yet, and was known to that key alone
    assert redis.get("counted") == b"4"
