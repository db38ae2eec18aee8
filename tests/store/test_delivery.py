"""One run of a worker, script by script."""

from __future__ import annotations

import json

import pytest
import redis as redis_client

from jobqueue.exceptions import RunLost
from jobqueue.retrying import Later
from jobqueue.scripts import load as load_script
from jobqueue.store import queues
from jobqueue.store.delivery import Claimed, Endings, Run
from jobqueue.store.pushing import push
from tests.goldenfiles import load
from tests.localtime import local_time

WORKER = "host:1:work"


@pytest.fixture
def run(link):
    """A run that has begun."""
    run = Run(link, WORKER)
    run.register(0.0)
    return run


@pytest.fixture
def work(redis):
    """Have four jobs wait in the queue ``work``; the bells are silent."""
    push("work", [b"a", b"b", b"c", b"d"])
    redis.delete("resque:wake:work", "resque:wake")


def claim(run, *names, most=2, woken_by="", **endings):
    claimed = run.claim(names or ["work"], most, Endings(**endings), woken_by)
    return [(job.token, job.payload) for job in claimed]


def waiting(redis, queue="work"):
    return redis.lrange(f"resque:queue:{queue}", 0, -1)


def rings(redis, queue="work"):
    return redis.llen(f"resque:wake:{queue}")


def counters(redis):
    """Return processed and failed, of all workers and of this one."""
    names = ("processed", "failed", f"processed:{WORKER}", f"failed:{WORKER}")
    return [int(redis.get(f"resque:stat:{name}") or 0) for name in names]


# Register


def test_a_run_begins_with_what_rubys_pages_show(redis, link):
    with local_time("America/New_York"):
        Run(link, WORKER).register(1_795_219_268.5)

    assert redis.smembers("resque:workers") == {b"host:1:work"}
    assert redis.get("resque:worker:host:1:work:started") == b"2026-11-20 19:01:08 -0500"
    assert redis.hget("resque:workers:heartbeat", WORKER).endswith((b"-05:00", b"-04:00"))


def test_a_run_begins_alive_and_empty(redis, run):
    seconds, _ = redis.time()

    assert redis.zscore("resque:runs", run.name) == pytest.approx(seconds * 1000, abs=5000)
    assert redis.hgetall(f"resque:inflight:{run.name}") == {b"worker": b"host:1:work"}
    assert run.tokens() == set()


def test_two_runs_of_one_worker_have_different_names(link):
    assert Run(link, WORKER).name != Run(link, WORKER).name


# Claim


@pytest.mark.usefixtures("work")
def test_a_claim_takes_the_first_jobs_into_flight(redis, run):
    assert run.claim(["work"], 2, Endings()) == [Claimed(1, "work", b"a"), Claimed(2, "work", b"b")]

    assert waiting(redis) == [b"c", b"d"]
    assert redis.hgetall(f"resque:inflight:{run.name}") == {
        b"worker": b"host:1:work",
        b"next": b"3",
        b"1": b"0:4:worka",
        b"2": b"0:4:workb",
    }


@pytest.mark.usefixtures("work")
def test_the_tokens_of_a_run_ascend(run):
    assert claim(run) == [(1, b"a"), (2, b"b")]
    assert claim(run) == [(3, b"c"), (4, b"d")]
    assert claim(run) == []
    assert run.tokens() == {1, 2, 3, 4}


@pytest.mark.usefixtures("work")
def test_a_claim_sent_again_gets_the_same_jobs(redis, run):
    first = claim(run, most=3)
    run.next_token = 1

    assert claim(run, most=3) == first
    assert waiting(redis) == [b"d"]


@pytest.mark.usefixtures("work")
def test_a_claim_that_arrives_when_its_jobs_are_settled_takes_no_others(redis, run):
    claim(run)
    run.settle(Endings(done=[1, 2]))
    run.next_token = 1

    assert claim(run) == []
    assert (waiting(redis), run.tokens()) == ([b"c", b"d"], set())


@pytest.mark.usefixtures("work")
def test_a_registration_that_arrives_late_forgets_nothing_in_flight(redis, run):
    claim(run)

    run.register(0.0)

    assert run.tokens() == {1, 2}
    assert redis.hget(f"resque:inflight:{run.name}", "worker") == b"host:1:work"


def test_a_claim_looks_at_its_queues_in_order(redis, run):
    push("low", [b"l"])
    push("high", [b"h"])

    assert claim(run, "empty", "high", "low") == [(1, b"h")]
    assert claim(run, "empty", "high", "low") == [(2, b"l")]


@pytest.mark.parametrize("name", [b"a:b/c 1", b"\xc3\xbc", b"\xff\x00"])
def test_any_bytes_may_be_a_queues_name(redis, run, name):
    redis.rpush(b"resque:queue:" + name, "a", "b")
    text = name.decode("utf-8", "surrogateescape")

    assert run.claim([text], 1, Endings()) == [Claimed(1, text, b"a")]
    run.settle(Endings(back=[1]))

    assert redis.smembers("resque:queues") == {name}
    assert redis.lrange(b"resque:queue:" + name, 0, -1) == [b"a", b"b"]


@pytest.mark.parametrize("payload", [b"", b"\xff\x00\r\n", b"1:4:work", "ü".encode()])
def test_any_bytes_may_be_a_payload(redis, run, payload):
    redis.rpush("resque:queue:work", payload)
    assert claim(run) == [(1, payload)]
    run.next_token = 1
    assert claim(run) == [(1, payload)]

    run.settle(Endings(back=[1]))

    assert waiting(redis) == [payload]


def test_a_key_that_is_no_list_is_passed_over(redis, run):
    redis.set("resque:queue:broken", "text")
    push("work", [b"a"])

    assert claim(run, "broken", "work") == [(1, b"a")]


@pytest.mark.usefixtures("work")
def test_the_bell_rings_again_while_jobs_remain(redis, run):
    claim(run, most=3)

    assert rings(redis) == 1


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("most", [4, 5])
def test_the_bell_of_an_emptied_queue_is_silenced(redis, run, most):
    redis.rpush("resque:wake:work", "1")

    claim(run, most=most)

    assert rings(redis) == 0


def test_the_bell_of_an_empty_queue_is_left_to_the_next(redis, run):
    redis.rpush("resque:wake:work", "1")

    assert claim(run) == []

    assert rings(redis) == 1


@pytest.mark.usefixtures("work")
def test_a_worker_that_found_other_work_passes_on_the_ring_that_woke_it(redis, run):
    push("high", [b"h"])

    assert claim(run, "high", "work", woken_by="work") == [(1, b"h")]

    assert rings(redis) == 1


@pytest.mark.usefixtures("work")
def test_a_worker_that_leaves_passes_on_the_ring_that_woke_it(redis, run):
    assert run.claim([], 1, Endings(), "work") == []

    assert rings(redis) == 1
    assert len(waiting(redis)) == 4


def test_there_is_nothing_to_pass_on_of_an_empty_queue(redis, run):
    assert claim(run, woken_by="work") == []

    assert rings(redis) == 0


@pytest.mark.usefixtures("work")
def test_nothing_is_claimed_from_a_paused_queue(redis, run):
    push("mail", [b"m"])
    queues.pause("work")

    assert claim(run, "work", "mail", woken_by="work") == [(1, b"m")]
    assert claim(run, woken_by="work") == []
    assert rings(redis) == 0


@pytest.mark.usefixtures("work")
def test_a_claim_before_a_pause_is_answered_again(run):
    first = claim(run)
    queues.pause("work")
    run.next_token = 1

    assert claim(run) == first


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("value", ["true", "True", "TRUE", " true\n"])
def test_all_workers_pause_as_resque_does(redis, run, value):
    redis.set("resque:pause-all-workers", value)

    assert claim(run, woken_by="work") == []


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("value", ["false", "", "1", "yes", "true!", "not true"])
def test_nothing_else_pauses_all_workers(redis, run, value):
    redis.set("resque:pause-all-workers", value)

    assert claim(run) == [(1, b"a"), (2, b"b")]


@pytest.mark.usefixtures("work")
def test_rubys_own_pause_pauses_us(redis, run):
    load(redis, "pause_all_workers")

    assert claim(run) == []


# Settle


@pytest.mark.usefixtures("work")
def test_jobs_that_are_done_are_counted_and_gone(redis, run):
    claim(run)

    run.settle(Endings(done=[1, 2]))

    assert run.tokens() == set()
    assert counters(redis) == [2, 0, 2, 0]


@pytest.mark.usefixtures("work")
def test_a_failure_is_written_and_counted(redis, run):
    claim(run)

    run.settle(Endings(failed=[(1, b"entry 1")], killed=[(2, b"entry 2")]))

    assert redis.lrange("resque:failed", 0, -1) == [b"entry 1", b"entry 2"]
    assert counters(redis) == [2, 1, 2, 1]  # Resque does not count a killed child as failed


@pytest.mark.usefixtures("work")
def test_a_settle_sent_again_counts_nothing(redis, run):
    claim(run, most=4)
    endings = Endings(done=[1], failed=[(2, b"entry")], killed=[(3, b"entry")], back=[4])

    run.settle(endings)
    run.settle(endings)

    assert counters(redis) == [3, 1, 3, 1]
    assert redis.llen("resque:failed") == 2
    assert waiting(redis) == [b"d"]


@pytest.mark.usefixtures("work")
def test_jobs_are_put_back_at_the_head_in_their_order(redis, run):
    claim(run, most=3)

    run.settle(Endings(back=[3, 1, 2]))

    assert waiting(redis) == [b"a", b"b", b"c", b"d"]
    assert counters(redis) == [0, 0, 0, 0]


@pytest.mark.usefixtures("work")
def test_a_job_that_is_put_back_with_another_text_keeps_its_place(redis, run):
    claim(run, most=3)

    run.settle(Endings(back=[1, 3], again=[(2, b"b again")]))

    assert waiting(redis) == [b"a", b"b again", b"c", b"d"]
    assert counters(redis) == [0, 0, 0, 0]


@pytest.mark.usefixtures("work")
def test_a_job_that_is_tried_again_waits_by_redis_clock_and_is_counted_as_processed(redis, run):
    claim(run)

    run.settle(Endings(later=[(1, Later(b"first", 60_000)), (2, Later(b"second", 1_500))]))

    seconds, _ = redis.time()
    waits = redis.zrange("resque:later", 0, -1, withscores=True)
    assert [member for member, _ in waits] == [b"second", b"first"]
    assert [moment / 1000 - seconds for _, moment in waits] == pytest.approx([1.5, 60], abs=5)
    assert run.tokens() == set()
    assert counters(redis) == [2, 0, 2, 0]


@pytest.mark.usefixtures("work")
def test_a_scheduler_is_woken_by_a_job_that_is_due_before_all_others(redis, run):
    claim(run)
    run.settle(Endings(later=[(1, Later(b"first", 60_000))]))
    assert redis.llen("resque:wake_scheduler") == 1

    redis.delete("resque:wake_scheduler")
    run.settle(Endings(later=[(2, Later(b"second", 90_000))]))
    assert redis.llen("resque:wake_scheduler") == 0


@pytest.mark.usefixtures("work")
def test_all_kinds_of_endings_are_told_together_and_again_for_nothing(redis, run):
    claim(run, most=4)
    run.claim(["work"], 1, Endings())
    endings = Endings(
        done=[1], failed=[(2, b"entry")], later=[(3, Later(b"later", 5_000))], again=[(4, b"d again")]
    )

    run.settle(endings)
    first = redis.zrange("resque:later", 0, -1, withscores=True)
    run.settle(endings)

    assert redis.zrange("resque:later", 0, -1, withscores=True) == first
    assert [member for member, _ in first] == [b"later"]
    assert counters(redis) == [3, 1, 3, 1]
    assert waiting(redis) == [b"d again"]


@pytest.mark.usefixtures("work")
def test_where_later_is_no_sorted_set_a_job_stays_in_flight(redis, run):
    redis.set("resque:later", "no sorted set")
    claim(run)
    endings = Endings(done=[1], later=[(2, Later(b"later", 5_000))])

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE resque:later is no sorted set"):
        run.settle(endings)
    assert run.tokens() == {1, 2}
    assert counters(redis) == [0, 0, 0, 0]

    redis.delete("resque:later")
    run.settle(endings)
    assert redis.zcard("resque:later") == 1


def test_a_queue_that_was_removed_is_a_queue_again_with_what_is_put_back(redis, run):
    push("work", [b"a"])
    claim(run)
    queues.remove_queue("work")

    run.settle(Endings(back=[1]))

    assert redis.smembers("resque:queues") == {b"work"}
    assert (waiting(redis), rings(redis)) == ([b"a"], 1)


@pytest.mark.usefixtures("work")
def test_one_round_trip_settles_and_claims(redis, run):
    claim(run)

    assert claim(run, done=[1], back=[2]) == [(3, b"b"), (4, b"c")]

    assert run.tokens() == {3, 4}
    assert counters(redis) == [1, 0, 1, 0]


@pytest.mark.usefixtures("work")
def test_where_failures_have_no_place_a_job_stays_in_flight(redis, run):
    redis.set("resque:failed", "no list")
    claim(run)

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE resque:failed is no list"):
        run.settle(Endings(done=[1], failed=[(2, b"entry")]))

    assert run.tokens() == {1, 2}
    assert counters(redis) == [0, 0, 0, 0]

    redis.delete("resque:failed")
    run.settle(Endings(done=[1], failed=[(2, b"entry")]))
    assert counters(redis) == [2, 1, 2, 1]


@pytest.mark.usefixtures("work")
def test_where_a_queue_has_no_place_a_job_stays_in_flight(redis, run):
    claim(run)
    redis.set("resque:queue:work", "no list")

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE resque:queue:work is no list"):
        run.settle(Endings(done=[1], back=[2]))
    assert run.tokens() == {1, 2}

    redis.delete("resque:queue:work")
    run.settle(Endings(done=[1], back=[2]))
    assert redis.lrange("resque:queue:work", 0, -1) == [b"b"]


@pytest.mark.usefixtures("work")
def test_names_that_cannot_be_written_down_keep_no_job_from_its_queue(redis, run):
    claim(run)
    for key in ("resque:queues", "resque:wake:work"):
        redis.delete(key)
        redis.set(key, "neither set nor list")

    run.settle(Endings(back=[1, 2]))

    assert redis.lrange("resque:queue:work", 0, 1) == [b"a", b"b"]


def test_a_redis_that_takes_no_writes_is_no_empty_queue(redis_factory, settings, link):
    server = redis_factory()
    settings.JOBQUEUE_REDIS_URL = server.url
    run = Run(link, "host:1:work")
    run.register(0.0)
    with server.client() as client:
        client.config_set("min-replicas-to-write", 1)

    with pytest.raises(redis_client.ResponseError, match="^NOREPLICAS Not enough good replicas"):
        claim(run)


@pytest.mark.usefixtures("work")
def test_a_counter_that_is_no_number_stops_nothing(redis, run):
    redis.set("resque:stat:processed", "many")
    redis.set("resque:stat:failed", "some")
    claim(run)

    run.settle(Endings(done=[1], failed=[(2, b"entry")]))

    assert run.tokens() == set()
    assert redis.get("resque:stat:processed:host:1:work") == b"2"


@pytest.mark.parametrize(
    ("endings", "tokens"),
    [
        (Endings(), set()),
        (Endings(done=[1]), {1}),
        (Endings(again=[(1, b"")]), {1}),
        (Endings(later=[(1, Later(b"", 0))]), {1}),
        (
            Endings(
                done=[1],
                failed=[(2, b"")],
                killed=[(3, b"")],
                back=[4],
                again=[(5, b"")],
                later=[(6, Later(b"", 0))],
            ),
            {1, 2, 3, 4, 5, 6},
        ),
    ],
)
def test_endings_know_their_tokens(endings, tokens):
    assert endings.tokens() == tokens
    assert bool(endings) is bool(tokens)


# Start


@pytest.mark.usefixtures("work")
def test_a_job_that_starts_is_marked_and_shown_until_it_is_settled(redis, run):
    claim(run)

    run.start([(2, json.dumps({"queue": "work"}).encode())], Endings(back=[1]))
    assert redis.hgetall(f"resque:inflight:{run.name}")[b"2"] == b"1:4:workb"
    assert redis.get("resque:worker:host:1:work") == b'{"queue": "work"}'
    assert waiting(redis) == [b"a", b"c", b"d"]

    run.settle(Endings(done=[2]))
    assert redis.exists("resque:worker:host:1:work") == 0


def test_a_job_that_is_not_in_flight_cannot_start(redis, run):
    run.start([(5, b"{}")], Endings())

    assert redis.exists("resque:worker:host:1:work") == 0
    assert run.tokens() == set()


@pytest.mark.usefixtures("work")
def test_what_was_started_is_put_back_whole(redis, run):
    claim(run)
    run.start([(1, b"{}")], Endings())

    run.settle(Endings(back=[1]))

    assert waiting(redis) == [b"a", b"c", b"d"]


# The fence


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize(
    "step",
    [
        lambda run: run.claim(["work"], 1, Endings()),
        lambda run: run.claim(["work"], 1, Endings(done=[1])),
        lambda run: run.settle(Endings(done=[1])),
        lambda run: run.settle(Endings(failed=[(1, b"entry")])),
        lambda run: run.settle(Endings(back=[1])),
        lambda run: run.start([(1, b"{}")], Endings()),
        lambda run: run.start([(1, b"{}")], Endings(done=[1])),
    ],
)
def test_whatever_a_recovered_run_tries_is_refused(redis, run, step):
    claim(run)
    redis.zrem("resque:runs", run.name)

    with pytest.raises(RunLost, match=f"LOSTRUN {run.name} was recovered by another process"):
        step(run)

    assert run.tokens() == {1, 2}
    assert waiting(redis) == [b"c", b"d"]
    assert counters(redis) == [0, 0, 0, 0]


# A Redis that has forgotten scripts


def test_what_goes_back_is_there_before_the_next_claim(redis, run, work):
    claim(run)
    redis.script_flush()
    redis.script_load(load_script("claim").text)

    assert claim(run, back=[1, 2]) == [(3, b"a"), (4, b"b")]


# What pages show


@pytest.mark.parametrize("endings", [{"back": [1]}, {"again": [(1, b"a")]}])
def test_a_job_that_was_put_back_is_shown_no_more(redis, run, work, endings):
    claim(run)
    run.start([(1, b"{}")], Endings())

    run.settle(Endings(**endings))

    assert not redis.exists(f"resque:worker:{WORKER}")


def test_the_running_job_is_shown_on_when_others_go_back(redis, run, work):
    claim(run)
    run.start([(1, b"{}")], Endings())

    run.settle(Endings(back=[2]))

    assert redis.exists(f"resque:worker:{WORKER}")
