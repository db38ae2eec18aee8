"""A dead worker of ours whose job Ruby's pruner has failed or is failing: it fails once, and is not lost."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from jobqueue import failure
from jobqueue.payload import Job, encode
from jobqueue.recovery import CrashPolicy, SilentRun
from jobqueue.store import runs
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.pushing import push
from tests.rubypruner import STEPS, prune, pruning

WORKER = "host:1:work"
JOBS = [encode(Job("A", [number, "ü"], id=f"job {number}")) for number in range(3)]
JUDGE = SilentRun(lambda name: CrashPolicy())


@pytest.fixture
def run(redis, link):
    """A run with three jobs in flight, the second of which has lasted when its worker died."""
    return begin(link, JOBS)


def begin(link, payloads, started=2):
    push("work", payloads)
    run = Run(link, WORKER)
    run.register(0.0)
    run.claim(["work"], len(payloads), Endings())
    if started:
        show(run, started, payloads[started - 1])
    return run


def show(run, token, payload):
    run.start([(token, b'{"queue":"work","run_at":"x","payload":%s}' % failure.embedded(payload))], Endings())


def failed(redis):
    """Return the payloads that have failed."""
    return [json.loads(entry)["payload"] for entry in redis.lrange("resque:failed", 0, -1)]


def waiting(redis):
    """Return the arguments of the jobs that wait."""
    return [json.loads(payload)["args"][0] for payload in redis.lrange("resque:queue:work", 0, -1)]


def test_a_job_that_ruby_has_failed_is_not_failed_again(redis, link, run):
    prune(redis, WORKER)

    assert runs.recover(link, run.name, JUDGE)

    assert failed(redis) == [json.loads(JOBS[1])]
    assert waiting(redis) == [0, 2]
    assert redis.keys("resque:*flight*") == redis.keys("resque:runs") == redis.keys("resque:stat:*") == []


@pytest.mark.parametrize("steps", range(STEPS + 1))
def test_wherever_the_recovery_comes_into_rubys_pruning_the_job_has_failed(redis, link, run, steps):
    ruby = pruning(redis, WORKER)
    done = list(islice(ruby, steps))

    assert runs.recover(link, run.name, JUDGE)
    list(ruby)

    # Between what Ruby reads and what it removes nobody can know what it will do: then it is told twice
    assert failed(redis) == [json.loads(JOBS[1])] * (2 if done[-1:] in (["read"], ["failed"]) else 1)
    assert waiting(redis) == [0, 2]
    assert not redis.exists("resque:workers", "resque:workers:heartbeat", f"resque:worker:{WORKER}")


def test_ruby_that_comes_between_look_and_recovery_is_seen(redis, link, run):
    def judge(held, worker_id):
        prune(redis, WORKER)
        return JUDGE(held, worker_id)

    assert runs.recover(link, run.name, judge)

    assert failed(redis) == [json.loads(JOBS[1])]


@pytest.mark.parametrize("behind", [0, 49, 50, 120])
def test_it_is_found_behind_newer_failures(redis, link, run, behind):
    prune(redis, WORKER)
    redis.rpush("resque:failed", *[b"{}"] * behind, b"newest")

    assert runs.recover(link, run.name, JUDGE)

    assert redis.llen("resque:failed") == behind + 2


def test_what_somebody_has_removed_from_the_failed_list_fails(redis, link, run):
    prune(redis, WORKER)
    redis.delete("resque:failed")

    assert runs.recover(link, run.name, JUDGE)

    assert failed(redis) == [json.loads(JOBS[1])]
    assert "jobqueue" in json.loads(redis.lindex("resque:failed", 0))["exception"]


def test_the_failure_of_an_earlier_job_that_looks_the_same_excuses_none(redis, link):
    """Containers have the same worker ids in all their lives."""
    bare = b'{"class":"A","args":[]}'
    runs.recover(link, begin(link, [bare], started=1).name, JUDGE)
    redis.delete("resque:failed")
    begin(link, [bare], started=1)
    prune(redis, WORKER)
    entry = json.loads(redis.lindex("resque:failed", 0))
    redis.lset("resque:failed", 0, json.dumps({**entry, "failed_at": "2026/01/01 00:00:00 UTC"}))
    for name in redis.zrange("resque:runs", 0, -1):
        runs.recover(link, name.decode(), JUDGE)

    assert failed(redis) == [json.loads(bare)] * 2


def test_a_job_that_was_not_shown_yet_goes_back_as_always(redis, link):
    run = begin(link, JOBS, started=0)
    prune(redis, WORKER)

    assert runs.recover(link, run.name, JUDGE)

    assert failed(redis) == []
    assert waiting(redis) == [0, 1, 2]


def test_a_job_that_is_tried_again_goes_back_as_its_definition_says(redis, link, run):
    """Ruby's failure stays in the list beside it."""
    prune(redis, WORKER)

    assert runs.recover(link, run.name, SilentRun(lambda name: CrashPolicy(retries=True)))

    assert failed(redis) == [json.loads(JOBS[1])]
    assert waiting(redis) == [0, 1, 2]


@pytest.mark.parametrize("payload", [b"no job", b"\xff", b"[]"])
def test_what_is_no_job_fails_once_too(redis, link, payload):
    run = begin(link, [payload], started=1)
    prune(redis, WORKER)

    assert runs.recover(link, run.name, JUDGE)

    assert failed(redis) == [json.loads(failure.embedded(payload))]


def test_where_there_is_no_failed_list_nothing_is_recovered(redis, link, run):
    prune(redis, WORKER)
    redis.delete("resque:failed")
    redis.set("resque:failed", "no list")

    with pytest.raises(Exception, match="WRONGTYPE resque:failed is no list"):
        runs.recover(link, run.name, JUDGE)

    assert run.tokens() == {1, 2, 3}
