from __future__ import annotations

import pytest

from jobqueue import locks
from jobqueue.locks import Lock
from jobqueue.payload import Job, encode
from jobqueue.recovery import Ending, put_back
from jobqueue.store import runs
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.pushing import push
from jobqueue.store.runs import LiveRun

WORKER = "host:1:work"


@pytest.fixture
def run(redis, link):
    """A run with three of four jobs in flight, the second of which is started."""
    push("work", [b"a", b"b", b"c", b"d"])
    run = Run(link, WORKER)
    run.register(0.0)
    run.claim(["work"], 3, Endings())
    run.start([(2, b"{}")], Endings())
    redis.delete("resque:wake:work")
    return run


def silence(redis, run):
    """Have a run's last heartbeat be ten seconds ago."""
    seconds, _ = redis.time()
    redis.zadd("resque:runs", {run.name: (seconds - 10) * 1000})


def ends(how, text=b""):
    """Return a judge for whom every job ends in the same way."""
    return lambda held, worker_id: Ending(held.token, how, text or held.payload)


def waiting(redis):
    return redis.lrange("resque:queue:work", 0, -1)


def keys_of_the_run(redis):
    lasting = {b"resque:queues", b"resque:queue:work", b"resque:failed", b"resque:stat:processed"}
    fading = (b"resque:sent:", b"resque:wake")
    return [key for key in redis.keys("*") if key not in lasting and not key.startswith(fading)]


@pytest.mark.parametrize("is_recovered", [True, False])
def test_a_job_that_waits_again_takes_the_lock_that_an_equal_one_gives_back(redis, link, is_recovered):
    digest = "0" * 24
    texts = [encode(Job("a", [], id=id, unique=f"done:{digest}")) for id in ("1", "2")]
    push("work", texts)
    redis.hset("resque:unique", digest, locks.held("2", "queue:work", texts[1]))
    run = Run(link, WORKER)
    run.register(0.0)
    run.claim(["work"], 2, Endings())
    waits = locks.held("1", "queue:work", texts[0])

    if is_recovered:
        hows = {1: "back", 2: "done"}
        runs.recover(link, run.name, lambda held, _: Ending(held.token, hows[held.token], held.payload))
    else:
        run.settle(Endings(back=[1], done=[2], locks=[(1, digest, "1", waits), (2, digest, "2", b"")]))

    assert redis.hgetall("resque:unique") == {digest.encode(): waits}


def test_what_was_settled_meanwhile_keeps_its_lock_as_it_is(redis, link):
    lock = Lock("0" * 24, "1", ends_at_begin=False)
    push("work", [encode(Job("a", [], id=lock.id, unique=f"done:{lock.digest}"))])
    run = Run(link, WORKER)
    run.register(0.0)
    run.claim(["work"], 1, Endings())

    def judge(held, worker_id):
        run.settle(Endings(done=[held.token]))
        return put_back(held, worker_id)

    assert runs.recover(link, run.name, judge)

    assert waiting(redis) == []
    assert not redis.exists("resque:unique")


# Heartbeats


def test_a_heartbeat_makes_a_run_alive_again(redis, link, run):
    silence(redis, run)
    assert list(runs.silent_runs(link, 5.0)) == [run.name]

    runs.heartbeat(link, [LiveRun(run.name, WORKER, 0.0)])

    assert runs.silent_runs(link, 5.0) == {}


def test_a_worker_that_was_unregistered_is_registered_again(redis, link, run):
    registered = redis.get(f"resque:worker:{WORKER}:started")
    redis.delete("resque:workers", f"resque:worker:{WORKER}:started", "resque:workers:heartbeat")

    runs.heartbeat(link, [LiveRun(run.name, WORKER, 0.0)])

    assert redis.smembers("resque:workers") == {WORKER.encode()}
    assert redis.get(f"resque:worker:{WORKER}:started") == registered
    assert redis.hkeys("resque:workers:heartbeat") == [WORKER.encode()]


def test_the_heartbeat_of_a_recovered_run_brings_nothing_back(redis, link, run):
    runs.recover(link, run.name, put_back)

    runs.heartbeat(link, [LiveRun(run.name, WORKER, 0.0)])

    assert keys_of_the_run(redis) == []


def test_runs_send_their_heartbeats_together(redis, link, run):
    other = Run(link, "host:2:work")
    other.register(0.0)
    for each in (run, other):
        silence(redis, each)

    runs.heartbeat(link, [LiveRun(run.name, WORKER, 0.0), LiveRun(other.name, "host:2:work", 0.0)])

    assert runs.silent_runs(link, 5.0) == {}


def test_without_runs_there_is_no_heartbeat(redis, link):
    runs.heartbeat(link, [])

    assert redis.keys() == []


def test_only_runs_that_were_silent_for_long_enough_are_told(redis, link, run):
    silence(redis, run)

    assert runs.silent_runs(link, 60.0) == {}
    assert runs.silent_runs(link, 5.0)[run.name] > redis.zscore("resque:runs", run.name)


# Recover


def test_jobs_go_back_to_the_head_in_their_order(redis, link, run):
    assert runs.recover(link, run.name, put_back)

    assert waiting(redis) == [b"a", b"b", b"c", b"d"]
    assert redis.llen("resque:wake:work") == 1
    assert keys_of_the_run(redis) == []


def test_a_second_recovery_finds_nothing_to_do(redis, link, run):
    assert runs.recover(link, run.name, put_back)
    assert not runs.recover(link, run.name, put_back)

    assert waiting(redis) == [b"a", b"b", b"c", b"d"]


@pytest.mark.parametrize(
    ("how", "failed", "processed"),
    [
        ("done", 0, b"3"),
        ("killed", 3, b"3"),  # Resque counts a killed child as processed
        ("failed", 3, None),  # but what a dead machine had for nothing
    ],
)
def test_each_ending_is_counted_as_resque_counts_it(redis, link, run, how, failed, processed):
    runs.recover(link, run.name, ends(how, b"entry"))

    assert redis.lrange("resque:failed", 0, -1) == [b"entry"] * failed
    assert redis.get("resque:stat:processed") == processed
    assert redis.exists("resque:stat:failed") == 0
    assert waiting(redis) == [b"d"]


def test_jobs_that_are_tried_again_wait_and_are_counted(redis, link, run):
    runs.recover(link, run.name, lambda held, _: Ending(held.token, "later", held.payload + b"!", 60_000))

    seconds, _ = redis.time()
    waits = redis.zrange("resque:later", 0, -1, withscores=True)
    assert [member for member, _ in waits] == [b"a!", b"b!", b"c!"]
    assert [moment / 1000 - seconds for _, moment in waits] == pytest.approx([60, 60, 60], abs=5)
    assert redis.get("resque:stat:processed") == b"3"
    assert redis.llen("resque:wake_scheduler") == 1
    assert waiting(redis) == [b"d"]


def test_where_later_is_no_sorted_set_nothing_is_recovered(redis, link, run):
    redis.set("resque:later", "no sorted set")

    with pytest.raises(Exception, match="WRONGTYPE resque:later is no sorted set"):
        runs.recover(link, run.name, ends("later"))

    assert run.tokens() == {1, 2, 3}
    assert redis.zscore("resque:runs", run.name)


def test_the_judge_sees_each_job_as_redis_holds_it(link, run):
    seen = []

    def judge(held, worker_id):
        seen.append((*held, worker_id))
        return put_back(held, worker_id)

    runs.recover(link, run.name, judge)

    assert seen == [
        (1, False, "work", b"a", WORKER),
        (2, True, "work", b"b", WORKER),
        (3, False, "work", b"c", WORKER),
    ]


def test_a_run_that_lives_is_not_recovered(redis, link, run):
    silence(redis, run)
    ((name, dead_since_ms),) = runs.silent_runs(link, 5.0).items()
    runs.heartbeat(link, [LiveRun(name, WORKER, 0.0)])

    assert not runs.recover(link, name, put_back, dead_since_ms)

    assert run.tokens() == {1, 2, 3}
    assert waiting(redis) == [b"d"]


def test_a_run_that_stayed_silent_is_recovered(redis, link, run):
    silence(redis, run)
    ((name, dead_since_ms),) = runs.silent_runs(link, 5.0).items()

    assert runs.recover(link, name, put_back, dead_since_ms)

    assert keys_of_the_run(redis) == []


def test_a_job_that_comes_into_flight_meanwhile_is_judged_too(redis, link, run):
    """The last command of a dead worker may still arrive from its socket."""

    def judge(held, worker_id):
        run.next_token = 4
        run.claim(["work"], 1, Endings())
        return put_back(held, worker_id)

    assert runs.recover(link, run.name, judge)

    assert waiting(redis) == [b"a", b"b", b"c", b"d"]


def test_a_job_that_was_settled_meanwhile_is_not_recovered(redis, link, run):
    def judge(held, worker_id):
        run.settle(Endings(done=[1]))
        return put_back(held, worker_id)

    runs.recover(link, run.name, judge)

    assert waiting(redis) == [b"b", b"c", b"d"]
    assert redis.get("resque:stat:processed") == b"1"


def test_a_run_that_never_comes_to_rest_is_told(redis, link, run, monkeypatch):
    monkeypatch.setattr(runs, "ATTEMPTS", 2)

    def judge(held, worker_id):
        redis.hset(f"resque:inflight:{run.name}", held.token + 1, "0:4:workx")
        return put_back(held, worker_id)

    with pytest.raises(TimeoutError, match=f"run {run.name} keeps changing although its process is dead"):
        runs.recover(link, run.name, judge)


def test_where_failures_have_no_place_nothing_is_recovered(redis, link, run):
    redis.set("resque:failed", "no list")

    with pytest.raises(Exception, match="WRONGTYPE resque:failed is no list"):
        runs.recover(link, run.name, ends("failed", b"entry"))

    assert run.tokens() == {1, 2, 3}


def test_where_a_queue_has_no_place_nothing_is_recovered(redis, link, run):
    redis.delete("resque:queue:work")
    redis.set("resque:queue:work", "no list")

    with pytest.raises(Exception, match="WRONGTYPE resque:queue:work is no list"):
        runs.recover(link, run.name, put_back)

    assert run.tokens() == {1, 2, 3}
    assert redis.zscore("resque:runs", run.name)


def test_a_counter_that_is_no_number_stops_no_recovery(redis, link, run):
    redis.set("resque:stat:processed", "many")

    assert runs.recover(link, run.name, ends("done"))

    assert keys_of_the_run(redis) == []


def test_without_a_failure_it_does_not_matter_what_failed_is(redis, link, run):
    redis.set("resque:failed", "no list")

    assert runs.recover(link, run.name, put_back)

    assert waiting(redis)[:2] == [b"a", b"b"]
