"""A Redis without memory left, that evicts nothing: enqueueing is refused, and workers drain it."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as redis_client

from jobqueue.attention import Attention
from jobqueue.exceptions import RedisFull
from jobqueue.inspection.delayed import every as every_delayed
from jobqueue.inspection.locks import every as every_lock
from jobqueue.inspection.replies import ask
from jobqueue.inspection.schedule import Fired
from jobqueue.link import Link
from jobqueue.patterns import QueueList
from jobqueue.payload import Job, encode
from jobqueue.recovery import CrashPolicy, SilentRun, put_back
from jobqueue.scripts import FOLDER
from jobqueue.sharedpage import SharedPage
from jobqueue.store import delayed, failures, locks, queues, runs, schedule, unlocking, values, workers
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.locks import Candidate
from jobqueue.store.promotion import promote, promote_bare
from jobqueue.store.pushing import push
from jobqueue.store.runs import LiveRun
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions
from tests.redisserver import RedisServer, valkey

WORKER = "host:1:work"
RUBYS = "ruby:1:work"
JOBS = [b"a", b"b", b"c", b"d"]


@pytest.fixture(params=["", *valkey()], ids=lambda path: Path(path or "redis").name)
def server(request, redis_factory, monkeypatch) -> RedisServer:
    server = redis_factory("--maxmemory", "8mb", "--maxmemory-policy", "noeviction", binary=request.param)
    monkeypatch.setenv("REDIS_URL", server.url)
    return server


@pytest.fixture
def redis(server):
    with server.client() as client:
        yield client


@pytest.fixture
def fill(redis):
    """Return a function that fills the memory, to stay full whatever is freed."""

    def fill():
        with pytest.raises(redis_client.ResponseError, match="maxmemory"):
            while True:
                redis.rpush("filler", "x" * 100_000)
        redis.config_set("maxmemory", 1)

    return fill


@pytest.fixture
def link(server):
    link = Link()
    yield link
    link.close()


@pytest.fixture
def run(link):
    run = Run(link, WORKER)
    run.register(0.0)
    return run


def waiting(redis):
    return redis.lrange("resque:queue:work", 0, -1)


def test_an_enqueue_is_refused_and_changes_nothing(redis, fill):
    fill()

    with pytest.raises(RedisFull, match="has no memory left, so it takes in nothing new"):
        push("work", [b"a"])

    assert redis.keys() == [b"filler"]


def test_an_enqueue_that_was_refused_may_be_repeated(redis, fill):
    fill()
    with pytest.raises(RedisFull, match="has no memory left, so it takes in nothing new"):
        push("work", [b"a"])

    redis.config_set("maxmemory", 0)
    push("work", [b"a"])

    assert waiting(redis) == [b"a"]


def test_a_worker_begins_claims_starts_and_settles(redis, fill, link):
    push("work", JOBS)
    redis.delete("resque:wake:work")
    fill()

    run = Run(link, WORKER)
    run.register(0.0)
    assert [job.payload for job in run.claim(["work"], 3, Endings())] == JOBS[:3]
    run.start([(1, b"{}")], Endings(back=[3]))
    run.settle(Endings(done=[1], failed=[(2, b"entry")]))

    assert redis.smembers("resque:workers") == {WORKER.encode()}
    assert (redis.get("resque:stat:processed"), redis.get("resque:stat:failed")) == (b"2", b"1")
    assert redis.lrange("resque:failed", 0, -1) == [b"entry"]
    assert (waiting(redis), redis.llen("resque:wake:work")) == ([b"c", b"d"], 1)


def test_a_claim_of_nothing_is_not_refused(fill, run):
    fill()

    assert run.claim(["work"], 3, Endings()) == []


def test_a_worker_that_leaves_passes_on_the_ring_that_woke_it(redis, fill, run):
    push("work", JOBS)
    redis.delete("resque:wake:work")
    fill()

    assert run.claim([], 1, Endings(), "work") == []

    assert redis.llen("resque:wake:work") == 1


def test_a_heartbeat_registers_a_worker_again(redis, fill, link, run):
    redis.delete("resque:workers", "resque:workers:heartbeat")
    redis.zadd("resque:runs", {run.name: 1})
    fill()

    runs.heartbeat(link, [LiveRun(run.name, WORKER, 0.0)])

    assert redis.zscore("resque:runs", run.name) > 1
    assert redis.smembers("resque:workers") == {WORKER.encode()}


def silent_run(max_crashes):
    return SilentRun(lambda name: CrashPolicy(max_crashes=max_crashes))


@pytest.mark.parametrize(
    ("judge", "left", "failed"),
    [(put_back, 4, 0), (silent_run(3), 4, 0), (silent_run(1), 1, 3)],
)
def test_dead_runs_are_recovered(redis, fill, link, run, judge, left, failed):
    push("work", JOBS)
    run.claim(["work"], 3, Endings())
    fill()

    assert runs.recover(link, run.name, judge)

    assert (len(waiting(redis)), redis.llen("resque:failed")) == (left, failed)
    assert not redis.exists("resque:runs", f"resque:inflight:{run.name}")


FAILURE = (
    b'{"failed_at":"2026/11/20 10:00:00 UTC","payload":{"class":"A","args":[]},"exception":"E","error":"e",'
    b'"backtrace":[],"worker":"host:1:work","queue":"work","retried_at":"2026/11/20 11:00:00"}'
)


JOB, BARE = b'{"class":"A","args":[],"id":"1"}', b'{"class":"A","args":[]}'
PAST_MS, LATER_MS = 1_000_000_000_000, 9_000_000_000_000


def over_link(step):
    """Take a step of a scheduler."""
    link = Link()
    try:
        return step(link)
    except redis_client.ResponseError as error:
        raise RedisFull(str(error)) from error
    finally:
        link.close()


def seen(is_bare):
    """Return the delayed jobs of one kind."""
    return [job for job in every_delayed() if job.is_bare == is_bare]


def lock():
    """Return the lock that there is."""
    return next(seen for some in every_lock(ask) for seen in some)


def fire(link):
    return schedule.fire(link, "daily", Fired(1, "x"), schedule.Made("work", JOB, "1"), now_ms=1, config=b"")


@pytest.fixture
def furnished(redis):
    """Let everything stand in Redis that can be changed there."""
    push("work", [b"a", b"b", b"a"])
    redis.sadd("resque:paused", "work")
    redis.delete("resque:wake:work")
    redis.rpush("resque:failed", FAILURE, b"other")
    redis.delete("resque:wake")
    redis.hset("resque:value:v", mapping={"ticket": 2, "value": "1", "done": 1})
    redis.sadd("resque:workers", RUBYS)
    redis.set(f"resque:worker:{RUBYS}", '{"queue":"work","payload":{"class":"A","args":[]}}')
    delayed.delay("work", [JOB], PAST_MS)
    delayed.delay_bare("work", [BARE], PAST_MS)
    locks.enqueue("once", [Candidate("locked", "1", JOB)], "drop")
    schedule.put("entry", b"{}")
    redis.hset("resque:fired", "daily", "0 x")
    redis.delete("resque:wake_scheduler", "resque:wake", "resque:schedules_changed")


FREEING = [
    (lambda: queues.remove_jobs("work", [b"a"]), "remove_jobs"),
    (lambda: queues.remove_queue("work"), "remove_queue"),
    (lambda: queues.resume("work"), "resume"),
    (lambda: failures.remove(b"other"), None),
    (lambda: failures.clear_retried(), "remove_failures"),
    (lambda: failures.clear(), None),
    (lambda: values.store("v", 2, None), "value_store"),
    (lambda: ring(), "ring"),
    (lambda: workers.prune(RUBYS, put_back), "prune"),
    (lambda: delayed.remove(seen(is_bare=False)), "remove_later"),
    (lambda: delayed.remove(seen(is_bare=True)), "remove_bare"),
    (lambda: delayed.move(seen(is_bare=True), LATER_MS), "move_bare"),
    (lambda: over_link(lambda link: promote(link, LATER_MS)), "promote"),
    (lambda: over_link(lambda link: promote_bare(link, LATER_MS)), "promote_bare"),
    (lambda: unlocking.release(lock()), "release_locks"),
    (lambda: schedule.remove("entry"), "set_schedule"),
]


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize(("change", "script"), FREEING)
def test_what_makes_room_is_not_refused(redis, fill, change, script):
    before = snapshot(redis)
    fill()

    change()

    assert snapshot(redis) != before


TAKING = [
    (lambda: push("work", [b"c"]), "enqueue"),
    (lambda: failures.retry(FAILURE, b"retried", "work", b"c"), "retry_failure"),
    (lambda: queues.pause("other"), None),
    (lambda: values.request("v"), None),
    (lambda: values.take("v", None), "value_take"),
    (lambda: values.store("v", 2, "2"), "value_store"),
    (lambda: delayed.delay("work", [JOB], LATER_MS), "delay"),
    (lambda: delayed.delay_bare("work", [BARE], LATER_MS), "delay_bare"),
    (lambda: delayed.move(seen(is_bare=False), LATER_MS), "move_later"),
    (lambda: locks.enqueue("work", [Candidate("other", "2", JOB)], "drop"), "enqueue_unique"),
    (lambda: locks.delay("work", [Candidate("other", "2", JOB)], LATER_MS, "drop"), "delay_unique"),
    (lambda: schedule.put("other", b"{}"), "set_schedule"),
    (lambda: over_link(fire), "fire"),
]


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize(("change", "script"), TAKING)
def test_what_takes_room_is_refused_and_changes_nothing(redis, fill, change, script):
    before = snapshot(redis)
    fill()

    with pytest.raises(RedisFull):
        change()

    assert snapshot(redis) == before


def test_every_script_is_tried_on_a_full_redis():
    """The worker's own are in the tests above and in ``protocol``."""
    of_workers = {"begin", "claim", "heartbeat", "recover", "register", "settle", "start"}

    tried = {script for _, script in (*FREEING, *TAKING) if script} | of_workers

    assert {path.stem for path in Path(str(FOLDER)).glob("[!_]*.lua")} == tried


def ring():
    """Tell that there is a new queue, as a worker does."""
    link = Link()
    Run(link, WORKER).tell_of_new_queues()
    link.close()


def snapshot(redis):
    return {key: redis.dump(key) for key in redis.keys("resque:*")}


def test_a_worker_drains_the_queue_until_there_is_memory_again(redis, fill, attention: Attention, done):
    text = "x" * 100_000
    push("work", [encode(Job("tests.sample.jobs.record", [number, text])) for number in range(50)])
    push("work", [encode(Job("tests.sample.jobs.fail", []))])
    with pytest.raises(RedisFull):
        while True:
            push("work", [encode(Job("tests.sample.jobs.record", [50, text]))])

    worker = Worker(WorkerOptions(queues=QueueList.parse("work")), attention, SharedPage(), 0.0)
    while worker.turn():
        pass
    worker.leave()

    assert [number for _, number, _ in done][:50] == list(range(50))
    assert redis.llen("resque:failed") == 1
    push("work", [b"a"])
    assert waiting(redis) == [b"a"]
