"""When a supervisor prunes; ``store/test_workers`` shows whom, and ``test_supervisor`` what it recovers."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from jobqueue import clock, recovering
from jobqueue.link import Link
from jobqueue.patience import Patience
from jobqueue.recovering import PRUNE_AFTER_STEADY_SECONDS, Recoverer
from jobqueue.recovery import DeadWorker, no_retry
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.pushing import push

WORKER = "ruby:1:work"
AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def recoverer(redis, attention):
    """One that has kept heartbeats for long enough to judge others."""
    recoverer = Recoverer(Patience(attention, "supervisor"))
    recoverer._steady_since -= PRUNE_AFTER_STEADY_SECONDS
    recoverer._ahead = redis.time()[0] - time.monotonic()
    yield recoverer
    recoverer.close()


@pytest.fixture
def phantom(redis):
    """Leave a worker of Ruby that has died with a job; return what does so again."""

    def leave():
        redis.sadd("resque:workers", WORKER)
        redis.hset("resque:workers:heartbeat", WORKER, clock.heartbeat(time.time() - 310))
        redis.set(f"resque:worker:{WORKER}", '{"queue":"work","payload":{"class":"A","args":[]}}')

    leave()
    return leave


def test_a_dead_worker_of_ruby_is_pruned_and_told(redis, recoverer, phantom, caplog):
    recoverer.heartbeat_now(list)

    assert redis.smembers("resque:workers") == set()
    assert redis.llen("resque:failed") == 1
    assert caplog.messages == ["worker ruby:1:work sent no heartbeat for 300 s: pruned"]


def test_it_is_not_done_with_each_heartbeat(redis, recoverer, phantom):
    recoverer.heartbeat_now(list)
    phantom()
    recoverer.heartbeat_now(list)
    assert redis.scard("resque:workers") == 1

    recoverer._prune_at = 0.0
    recoverer.heartbeat_now(list)

    assert redis.scard("resque:workers") == 0


def test_nobody_is_pruned_by_a_supervisor_that_has_just_begun(redis, recoverer, phantom):
    recoverer._steady_since += 10

    recoverer.heartbeat_now(list)

    assert redis.scard("resque:workers") == 1


def test_nobody_is_pruned_after_an_outage_of_redis(redis, recoverer, phantom, settings):
    """Each worker of Ruby looks dead until it has sent its next heartbeat."""
    settings.JOBQUEUE_REDIS_URL = AWAY
    recoverer.heartbeat_now(list)
    del settings.JOBQUEUE_REDIS_URL

    recoverer.heartbeat_now(list)

    assert redis.scard("resque:workers") == 1


def test_nobody_is_pruned_after_a_jump_of_redis_clock(redis, recoverer, phantom):
    recoverer._ahead -= 60

    recoverer.heartbeat_now(list)

    assert redis.scard("resque:workers") == 1


def test_what_hinders_pruning_is_told_once_and_hinders_nothing_else(redis, recoverer, phantom, caplog):
    redis.delete("resque:workers:heartbeat")
    redis.set("resque:workers:heartbeat", "odd")

    for _ in range(2):
        recoverer._prune_at = 0.0
        recoverer.heartbeat_now(list)

    assert len(caplog.messages) == 1
    assert "dead workers cannot be pruned: WRONGTYPE" in caplog.text
    assert recoverer._steady_since < time.monotonic() - 100


def test_a_redis_that_goes_away_meanwhile_is_trouble_as_always(
    redis, recoverer, phantom, monkeypatch, caplog
):
    def gone(link):
        raise ConnectionError("gone")

    monkeypatch.setattr(recovering.workers, "prune_dead", gone)

    recoverer.heartbeat_now(list)

    assert "Trying again until it answers." in caplog.text


# A run that a key of another type is in the way of


@pytest.fixture
def owed(redis, recoverer):
    """Leave a run of a dead worker of its own whose job has to fail, and no list for failures."""
    with closing(Link()) as link:
        run = Run(link, "host:1:work")
        run.register(0.0)
        push("work", [b"a"])
        run.claim(["work"], 1, Endings())
    redis.set("resque:failed", "no list")
    dead = DeadWorker(pid=1, status=9, suspects={1}, finished=(), policy_of=no_retry)
    recoverer.owe(run.name, dead)
    return run.name


def test_it_is_told_once_and_makes_redis_no_troubled_one(recoverer, owed, caplog):
    steady_since = recoverer._steady_since

    for _ in range(3):
        recoverer.recover_own()
        recoverer.heartbeat_now(list)

    assert caplog.messages == [
        f"run {owed} cannot be recovered: WRONGTYPE resque:failed is no list, so nothing can be put there"
    ]
    assert recoverer._steady_since == steady_since


def test_it_is_recovered_when_that_is_removed(redis, recoverer, owed):
    recoverer.recover_own()
    redis.delete("resque:failed")

    recoverer.recover_own()

    assert redis.llen("resque:failed") == 1
    assert not recoverer.owes
