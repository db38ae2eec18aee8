"""Dead workers of Ruby, phantoms and ours: which are pruned, how, and what is never touched."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from jobqueue import clock
from jobqueue.payload import Job, encode
from jobqueue.recovery import put_back
from jobqueue.scripts import load
from jobqueue.store import runs, workers
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.pushing import push
from jobqueue.store.workers import PruneResult
from tests import goldenfiles
from tests.rubypruner import pruning

RUBYS = "app2.example.com:4711:emails,reports"
WORKER = "host:1:work"
PAYLOAD = encode(Job("A", [1]))
SHOWN = b'{"queue":"work","run_at":"x","payload":%s}' % PAYLOAD
LONG_AGO = clock.heartbeat(0)


def beat(seconds_ago):
    return clock.heartbeat(time.time() - seconds_ago)


def register(redis, worker_id=WORKER, heartbeat=LONG_AGO, shown=None):
    """Leave in Redis what a worker of Ruby leaves that dies."""
    redis.sadd("resque:workers", worker_id)
    redis.set(f"resque:worker:{worker_id}:started", "2026-11-21 00:16:54 +0000")
    redis.set(f"resque:stat:processed:{worker_id}", 7)
    redis.set(f"resque:stat:failed:{worker_id}", 1)
    if heartbeat is not None:
        redis.hset("resque:workers:heartbeat", worker_id, heartbeat)
    if shown is not None:
        redis.set(f"resque:worker:{worker_id}", shown)


def left(redis):
    return sorted(key.decode().removeprefix("resque:") for key in redis.keys("*"))


@pytest.fixture
def run(redis, link):
    """A run of ours with one job in flight that has lasted."""
    push("work", [PAYLOAD])
    run = Run(link, WORKER)
    run.register(0.0)
    run.claim(["work"], 1, Endings())
    run.start([(1, SHOWN)], Endings())
    redis.hset("resque:workers:heartbeat", WORKER, LONG_AGO)
    return run


# By their heartbeats


def test_a_dead_worker_of_ruby_is_pruned_as_by_ruby(redis, link):
    goldenfiles.load(redis, "heartbeat_expired_before_prune")
    redis.hset("resque:workers:heartbeat", "vm:28528:other", beat(1))

    assert workers.prune_dead(link) == [RUBYS]

    assert redis.lrange("resque:failed", 0, -1)
    mine, rubys = goldenfiles.dump(redis), goldenfiles.values("heartbeat_expired_pruned")
    entry, rubys_entry = (json.loads(*keys.pop("resque:failed")) for keys in (mine, rubys))
    assert list(entry) == list(rubys_entry)
    assert {**entry, "failed_at": ""} == {**rubys_entry, "failed_at": ""}
    assert mine["resque:stat:processed"] == rubys["resque:stat:processed"]
    assert left(redis) == ["failed", "stat:processed", "workers:heartbeat"]


def test_an_idle_one_vanishes_without_a_failure(redis, link):
    register(redis)

    assert workers.prune_dead(link) == [WORKER]

    assert left(redis) == []


def test_half_a_registration_vanishes(redis, link):
    """Ruby finds such a one too: it looks at heartbeats alone."""
    redis.hset("resque:workers:heartbeat", WORKER, LONG_AGO)

    assert workers.prune_dead(link) == [WORKER]

    assert left(redis) == []


@pytest.mark.parametrize("heartbeat", [None, "a while ago", b"\xff", ""])
def test_one_of_which_no_heartbeat_can_be_read_is_left_alone(redis, link, heartbeat):
    register(redis, heartbeat=heartbeat, shown=SHOWN)

    assert workers.prune_dead(link) == []

    assert redis.smembers("resque:workers") == {WORKER.encode()}


@pytest.mark.parametrize("seconds_ago", [0, 100, 290, -3600])
def test_one_that_may_live_is_left_alone(redis, link, seconds_ago):
    register(redis, heartbeat=beat(seconds_ago))

    assert workers.prune_dead(link) == []


def test_one_of_ours_is_left_to_its_recovery(redis, link, run):
    assert workers.prune_dead(link) == []

    assert run.tokens() == {1}
    assert redis.get(f"resque:worker:{WORKER}") == SHOWN


def test_one_of_ours_that_has_no_run_any_more_is_pruned(redis, link, run):
    """Its job in flight stays where it is: it is a matter of the run, not of the worker."""
    redis.delete(f"resque:worker:{WORKER}")
    redis.zrem("resque:runs", run.name)

    assert workers.prune_dead(link) == [WORKER]

    assert redis.hget(f"resque:inflight:{run.name}", "1").endswith(PAYLOAD)


@pytest.mark.parametrize("shown", [b"no json", b"\xff\xfe", b"[1]", b"", b'{"queue":"work"}', b"{" * 10_000])
def test_what_nobody_can_read_is_kept_in_the_failure(redis, link, shown):
    register(redis, shown=shown)

    assert workers.prune_dead(link) == [WORKER]

    entry = json.loads(redis.lindex("resque:failed", 0))
    assert entry["worker"] == WORKER
    assert entry["payload"] == {"queue": "work"} or set(entry["payload"]) >= {"class", "args", "raw"}


@pytest.mark.parametrize("key", ["failed", f"worker:{WORKER}"])
def test_where_a_job_could_not_be_kept_its_worker_stays_and_others_go(redis, link, key):
    register(redis, shown=SHOWN)
    register(redis, "host:2:work")
    redis.delete(f"resque:{key}")
    redis.sadd(f"resque:{key}", "odd")

    assert workers.prune_dead(link) == ["host:2:work"]

    assert redis.smembers("resque:workers") == {WORKER.encode()}


def test_a_registry_of_another_type_hinders_nothing(redis, link):
    register(redis, shown=SHOWN)
    redis.delete("resque:workers")
    redis.set("resque:workers", "odd")

    assert workers.prune_dead(link) == [WORKER]

    assert redis.llen("resque:failed") == 1


def test_an_id_of_any_bytes_is_pruned(redis, link):
    odd = b"h\xff:1:q"
    redis.sadd("resque:workers", odd)
    redis.hset("resque:workers:heartbeat", odd, LONG_AGO)
    redis.set(b"resque:worker:" + odd, SHOWN)

    assert workers.prune_dead(link) == ["h\udcff:1:q"]

    assert left(redis) == ["failed"]


def test_nothing_is_counted(redis, link):
    register(redis, shown=SHOWN)
    redis.set("resque:stat:processed", 7)

    workers.prune_dead(link)

    assert (redis.get("resque:stat:processed"), redis.get("resque:stat:failed")) == (b"7", None)


# Beside others who prune


def test_while_ruby_prunes_nobody_else_does(redis, link):
    register(redis, shown=SHOWN)
    for step in pruning(redis, WORKER):
        assert workers.prune_dead(link) == [], step

    assert redis.llen("resque:failed") == 1
    assert redis.smembers("resque:workers") == set()


def test_no_lock_is_left_that_would_keep_ruby_from_pruning(redis, link):
    register(redis)

    workers.prune_dead(link)

    assert not redis.exists("resque:pruning_dead_workers_in_progress")


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda redis: redis.hset("resque:workers:heartbeat", WORKER, clock.heartbeat(time.time())),
        lambda redis: redis.hdel("resque:workers:heartbeat", WORKER),
        lambda redis: redis.set(f"resque:worker:{WORKER}", SHOWN.replace(b"1", b"2")),
        lambda redis: redis.delete(f"resque:worker:{WORKER}"),
        lambda redis: (
            redis.hset("resque:inflight:r", "worker", WORKER) and redis.zadd("resque:runs", {"r": 1})
        ),
        lambda redis: redis.set("resque:pruning_dead_workers_in_progress", "x"),
    ],
)
def test_one_that_has_changed_since_it_was_looked_at_is_left_alone(redis, link, monkeypatch, meanwhile):
    register(redis, shown=SHOWN)
    make = workers.pruning.expired_entry
    monkeypatch.setattr(
        workers.pruning, "expired_entry", lambda *given: meanwhile(redis) is None or make(*given)
    )

    assert workers.prune_dead(link) == []

    assert redis.smembers("resque:workers") == {WORKER.encode()}
    assert not redis.exists("resque:failed")


def test_a_second_pruner_finds_nothing_to_do(redis, link):
    register(redis, shown=SHOWN)

    assert workers.prune_dead(link) == [WORKER]
    assert workers.prune_dead(link) == []

    assert redis.llen("resque:failed") == 1


# By hand


def test_a_silent_worker_of_ruby_is_unregistered_as_by_rubys_command(redis):
    goldenfiles.load(redis, "worker_killed")
    redis.delete("resque:pruning_dead_workers_in_progress")
    worker_id = "vm:28510:emails,reports"

    assert workers.prune(worker_id, put_back) is PruneResult.UNREGISTERED

    rubys = goldenfiles.values("worker_killed_pruned_by_next_on_same_host")
    entry, rubys_entry = json.loads(redis.lindex("resque:failed", 0)), json.loads(*rubys["resque:failed"])
    assert {**entry, "failed_at": ""} == {**rubys_entry, "failed_at": ""}
    assert left(redis) == ["failed", "queues"]


def test_one_that_never_sent_a_heartbeat_is_unregistered(redis):
    register(redis, heartbeat=None, shown=SHOWN)

    assert workers.prune(WORKER, put_back) is PruneResult.UNREGISTERED

    assert json.loads(redis.lindex("resque:failed", 0))["exception"] == "Resque::DirtyExit"
    assert left(redis) == ["failed"]


@pytest.mark.parametrize("seconds_ago", [0, 80])
def test_one_that_may_well_live_is_not_unregistered(redis, seconds_ago):
    register(redis, heartbeat=beat(seconds_ago))

    assert workers.prune(WORKER, put_back) is PruneResult.LIVES

    assert redis.sismember("resque:workers", WORKER)


def test_one_that_begins_a_job_meanwhile_is_not_unregistered(redis, monkeypatch):
    register(redis, heartbeat=None)
    begin = lambda name: redis.set(f"resque:worker:{WORKER}", SHOWN) and load(name)  # noqa: E731
    monkeypatch.setattr(workers, "load", begin)

    assert workers.prune(WORKER, put_back) is PruneResult.LIVES

    assert redis.get(f"resque:worker:{WORKER}") == SHOWN


def test_a_clock_of_this_machine_that_is_ahead_makes_no_worker_dead(redis, monkeypatch):
    """A heartbeat is of the clock of Redis."""
    register(redis, heartbeat=beat(0))
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    monkeypatch.setattr("jobqueue.inspection.workers.datetime", SimpleNamespace(now=lambda zone: ahead))

    assert workers.prune(WORKER, put_back) is PruneResult.LIVES


def test_while_ruby_prunes_one_has_to_wait(redis):
    register(redis)
    redis.set("resque:pruning_dead_workers_in_progress", "x", ex=60)

    assert workers.prune(WORKER, put_back) is PruneResult.OTHERS_PRUNE


def test_a_silent_one_of_ours_is_recovered(redis, run):
    redis.zadd("resque:runs", {run.name: 1})

    assert workers.prune(WORKER, put_back) is PruneResult.RECOVERED

    assert redis.lrange("resque:queue:work", 0, -1) == [PAYLOAD]
    assert not redis.exists("resque:workers", "resque:runs", f"resque:inflight:{run.name}")


def test_one_of_ours_that_lives_is_not_recovered(redis, run):
    assert workers.prune(WORKER, put_back) is PruneResult.LIVES

    assert run.tokens() == {1}


def test_of_two_of_ours_with_one_id_a_living_one_is_enough(redis, link, run):
    """Containers may all have the same."""
    other = Run(link, WORKER)
    other.register(0.0)
    redis.hset("resque:workers:heartbeat", WORKER, LONG_AGO)
    redis.zadd("resque:runs", {run.name: 1})

    assert workers.prune(WORKER, put_back) is PruneResult.LIVES

    assert run.tokens() == {1}


def test_one_of_ours_whose_jobs_nobody_can_read_stays(redis, run):
    redis.zadd("resque:runs", {run.name: 1})
    redis.hset(f"resque:inflight:{run.name}", "2", "odd")

    with pytest.raises(ValueError, match="is not how a payload is held in flight"):
        workers.prune(WORKER, put_back)

    assert redis.zcard("resque:runs") == 1


def test_a_heartbeat_of_ours_registers_again_who_was_pruned_by_mistake(redis, link, run):
    redis.srem("resque:workers", WORKER)
    redis.hdel("resque:workers:heartbeat", WORKER)

    runs.heartbeat(link, [runs.LiveRun(run.name, WORKER, 0.0)])

    assert workers.prune_dead(link) == []
    assert redis.sismember("resque:workers", WORKER)


def test_a_worker_whose_heartbeat_comes_in_between_is_told_to_live(redis, run, monkeypatch):
    redis.zadd("resque:runs", {run.name: 1})
    recover = runs.recover

    def recover_too_late(link, *args):
        redis.zadd("resque:runs", {run.name: 2**60})
        return recover(link, *args)

    monkeypatch.setattr(runs, "recover", recover_too_late)

    assert workers.prune(WORKER, put_back) is PruneResult.LIVES
    assert redis.hexists(f"resque:inflight:{run.name}", 1)


def test_a_worker_that_begins_job_after_job_is_told_to_live(redis, run, monkeypatch):
    redis.zadd("resque:runs", {run.name: 1})
    monkeypatch.setattr(runs, "ATTEMPTS", 0)

    assert workers.prune(WORKER, put_back) is PruneResult.LIVES
