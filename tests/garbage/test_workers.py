"""Whatever stands in Redis, a worker lives on, and every payload is performed, failed, or where it was."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator

import pytest
import redis as redis_client

from jobqueue import rubyjson
from jobqueue.attention import Attention
from jobqueue.forkingworker import ForkingWorker
from jobqueue.patience import Patience
from jobqueue.patterns import QueueList
from jobqueue.recovering import Recoverer
from jobqueue.sharedpage import SharedPage
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions
from tests.garbage.corpus import HUGE, RUBYS, TEXTS, TYPES, job
from tests.garbage.places import KEYS, PLACES

pytestmark = pytest.mark.usefixtures("own_title")

MUST_BE_REPAIRED = {"runs", "failed"}
"""Without the set of living runs, or a place for failures, a worker says so and waits for the repair."""
GOOD = job("good")
BAD = b"no job"


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
        return kind(WorkerOptions(queues=QueueList.parse("work,*")), self.attention, SharedPage())

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
        """Return the failures that our workers have written."""
        if self.redis.type(KEYS.failed) != b"list":
            return []
        return [entry for entry in self.redis.lrange(KEYS.failed, 0, -1) if OURS in entry]


OURS = b',"exception":"jobqueue.'


def unheld(value: bytes) -> bytes:
    """Return the payload of a job in flight, or the text as it stands."""
    found = re.match(rb"[01]:(\d{1,4}):", value)
    return value[found.end() + int(found[1]) :] if found else value


def payload_of(entry: bytes) -> bytes:
    """Return the text that has failed, as it stood in its queue."""
    text = entry[entry.index(b'"payload":') + len(b'"payload":') : entry.rindex(OURS)]
    if not text.startswith(b'{"class":null,"args":[],"raw":'):
        return text
    fields = rubyjson.decode(text)
    return base64.b64decode(fields["base64"]) if "base64" in fields else fields["raw"].encode()


def assert_nothing_vanished(site: Site, put: Counter[bytes], performed: int) -> None:
    """Every payload is where it was, in flight, in Failed, or was performed."""
    missing = put - site.kept()
    assert all(rubyjson.decode(payload)["class"] == "tests.sample.jobs.record" for payload in missing)
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
    texts = [*TEXTS.values(), *RUBYS.values()]
    site.enqueue(*texts)

    site.work_off(kind)

    assert redis.get(KEYS.stat("processed")) == str(len(texts)).encode()
    performed = len(texts) - redis.llen(KEYS.failed)
    assert 0 < performed < 20
    assert_nothing_vanished(site, Counter(texts), performed)


def test_10_mb_of_anything_become_a_job_or_a_failure(site, redis, done):
    texts = [make() for make in HUGE.values()]
    site.enqueue(*texts)

    site.work_off()

    assert redis.llen(b"resque:queue:work") == 0
    assert_nothing_vanished(site, Counter(texts), len(done))


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("name", PLACES)
def test_whatever_type_a_key_has_nothing_dies_and_nothing_vanishes(
    site, redis, done, monkeypatch, name, type
):
    if type == PLACES[name].type:
        pytest.skip("the type that belongs there")
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

    monkeypatch.setattr(site.attention, "sleep", repair)

    site.work_off()
    site.recover()

    assert bool(repairs) == (name in MUST_BE_REPAIRED or name == "queues")
    assert_nothing_vanished(site, put, len(done))
    assert len(done) >= 2
