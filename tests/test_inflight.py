"""A worker's memory and Redis: whatever happens to either, they agree in the end."""

from __future__ import annotations

import json
import time

import pytest

from jobqueue import inflight as module
from jobqueue.exceptions import RunLost
from jobqueue.inflight import InFlight
from jobqueue.patience import GaveUp
from jobqueue.recovery import DeadWorker, Ending, no_retry, put_back
from jobqueue.sharedpage import SharedPage
from jobqueue.store import runs
from jobqueue.store.delivery import Run
from jobqueue.store.pushing import push

WORKER = "host:1:work"
JOBS = [b"a", b"b", b"c", b"d"]


@pytest.fixture
def page(request):
    return SharedPage(getattr(request, "param", 1))


@pytest.fixture
def in_flight(redis, attention, page):
    """What a worker has in flight, with four jobs waiting in ``work``."""
    push("work", JOBS)
    in_flight = InFlight(WORKER, 0.0, page, attention)
    yield in_flight
    in_flight._run._link.close()


def claim(in_flight, most=4):
    return in_flight.claim(["work"], most)


def begin(in_flight, *, alone=False):
    """Let the next job begin; return its payload."""
    job = in_flight.hand_out(in_flight._page.lanes[0], lambda payload: alone)
    return job and job.payload


def end(in_flight, entry=None, *, how="failed"):
    (job,) = in_flight._jobs.places.jobs
    if entry is None:
        in_flight.done(job)
    else:
        in_flight.end(job, Ending(job.token, how, entry))


def perform(in_flight, count):
    """Perform some jobs of the batch; return their payloads."""
    performed = []
    for _ in range(count):
        performed.append(begin(in_flight))
        end(in_flight)
    return performed


def waiting(redis):
    return redis.lrange("resque:queue:work", 0, -1)


def held(redis, in_flight):
    """Return what Redis holds of the run: started or not, and payload, by token."""
    fields = redis.hgetall(f"resque:inflight:{in_flight._run.name}")
    return {int(token): text.replace(b":4:work", b":") for token, text in fields.items() if token.isdigit()}


def processed(redis):
    return int(redis.get("resque:stat:processed") or 0)


def recover(in_flight, link):
    """Do as another machine that takes the worker for dead."""
    runs.recover(link, in_flight._run.name, put_back)


# From a claim to its settling


def test_jobs_are_handed_out_in_their_order_and_settled_with_the_next_claim(redis, in_flight):
    assert claim(in_flight, most=3)
    assert perform(in_flight, 3) == [b"a", b"b", b"c"]
    assert begin(in_flight) is None
    assert processed(redis) == 0

    assert claim(in_flight)
    assert processed(redis) == 3
    assert held(redis, in_flight) == {4: b"0:d"}


def test_what_was_left_of_a_batch_comes_first_in_the_next(in_flight, page):
    """A pause that ends at once leaves it."""
    claim(in_flight, most=3)
    perform(in_flight, 1)

    claim(in_flight, most=3)

    assert perform(in_flight, 3) == [b"b", b"c", b"d"]
    assert len(page.finished) == 3


def test_an_empty_queue_gives_no_batch(redis, in_flight):
    claim(in_flight)
    perform(in_flight, 4)

    assert not claim(in_flight)
    assert held(redis, in_flight) == {}


def test_the_supervisor_can_read_what_happens(in_flight, page):
    assert page.run == in_flight._run.name

    claim(in_flight)
    perform(in_flight, 1)
    begin(in_flight)

    assert (page.running, page.finished) == ({2}, {1})


def test_known_queues_are_read_as_they_stand(redis, in_flight):
    redis.sadd("resque:queues", b"\xff")

    assert sorted(in_flight.ask(Run.known_queues)) == ["work", "\udcff"]


# Failures


def test_a_failure_is_settled_at_once_with_what_ended_before(redis, in_flight, page):
    claim(in_flight)
    perform(in_flight, 1)
    begin(in_flight)

    end(in_flight, b"entry")

    assert redis.lrange("resque:failed", 0, -1) == [b"entry"]
    assert held(redis, in_flight) == {3: b"0:c", 4: b"0:d"}
    assert (processed(redis), redis.get("resque:stat:failed")) == (2, b"1")
    assert page.running == set()


def test_a_killed_child_is_not_counted_as_failed(redis, in_flight):
    claim(in_flight)
    begin(in_flight)

    end(in_flight, b"entry", how="killed")

    assert redis.lrange("resque:failed", 0, -1) == [b"entry"]
    assert (processed(redis), redis.get("resque:stat:failed")) == (1, None)


def test_a_job_that_is_tried_again_is_settled_at_once_with_what_ended_before(redis, in_flight, page):
    claim(in_flight)
    perform(in_flight, 1)
    begin(in_flight)
    (job,) = in_flight._jobs.places.jobs

    in_flight.end(job, Ending(job.token, "later", b"b later", 60_000))
    in_flight.end(job, Ending(job.token, "later", b"b again", 60_000))

    assert redis.zrange("resque:later", 0, -1) == [b"b later"]
    assert held(redis, in_flight) == {3: b"0:c", 4: b"0:d"}
    assert (processed(redis), redis.get("resque:stat:failed")) == (2, None)
    assert page.running == set()


@pytest.mark.parametrize(
    ("ending", "left", "later", "failed"),
    [
        (Ending(1, "done"), [], [], []),
        (Ending(1, "failed", b"entry"), [], [], [b"entry"]),
        (Ending(1, "killed", b"entry"), [], [], [b"entry"]),
        (Ending(1, "later", b"a later", 60_000), [], [b"a later"], []),
        (Ending(1, "back", b"a again"), [b"a again"], [], []),
        (Ending(1, "back"), [b"a"], [], []),
    ],
)
def test_a_job_ends_as_another_process_tells(redis, in_flight, ending, left, later, failed):
    claim(in_flight, most=1)
    begin(in_flight)
    (job,) = in_flight._jobs.places.jobs

    in_flight.end(job, ending)
    in_flight.let_go()

    assert waiting(redis) == [*left, b"b", b"c", b"d"]
    assert redis.zrange("resque:later", 0, -1) == later
    assert redis.lrange("resque:failed", 0, -1) == failed
    assert held(redis, in_flight) == {}


def test_jobs_that_do_not_end_in_a_stop_end_as_is_judged(redis, in_flight, caplog):
    claim(in_flight, most=2)
    begin(in_flight)

    in_flight.abandon(lambda held, worker_id: Ending(held.token, "later", held.payload + b" later", 60_000))

    assert redis.zrange("resque:later", 0, -1) == [b"a later"]
    assert waiting(redis) == [b"b", b"c", b"d"]
    assert "later: (Job{work} | b'a') did not end in time" in caplog.text


def test_a_job_that_is_not_running_any_more_ends_for_nobody(redis, in_flight):
    claim(in_flight)
    job = in_flight.hand_out(in_flight._page.lanes[0], lambda payload: False)
    end(in_flight)

    in_flight.end(job, Ending(job.token, "failed", b"entry"))

    assert redis.exists("resque:failed") == 0


# Jobs that last


def test_a_job_that_lasts_lets_the_others_go_in_their_order(redis, in_flight, monkeypatch):
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    claim(in_flight, most=3)
    perform(in_flight, 1)
    begin(in_flight)

    assert in_flight.hold_if_due().payload == b"b"

    assert held(redis, in_flight) == {2: b"1:b"}
    assert waiting(redis) == [b"c", b"d"]
    assert processed(redis) == 1


def test_a_job_that_lasts_is_shown_until_it_ends(redis, in_flight, monkeypatch):
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    redis.lset("resque:queue:work", 0, b'{"class": "A", "args":[1.50]}')
    claim(in_flight)
    begin(in_flight)

    in_flight.hold_if_due()
    shown = redis.get("resque:worker:host:1:work")
    assert list(json.loads(shown)) == ["queue", "run_at", "payload"]
    assert shown.endswith(b',"payload":{"class": "A", "args":[1.50]}}')

    end(in_flight)
    claim(in_flight)
    assert redis.exists("resque:worker:host:1:work") == 0


def test_what_is_no_job_is_shown_as_a_text(redis, in_flight):
    claim(in_flight)

    begin(in_flight, alone=True)

    shown = json.loads(redis.get("resque:worker:host:1:work"))
    assert (shown["queue"], shown["payload"]["raw"]) == ("work", "a")


def test_a_job_is_held_once(redis, in_flight, monkeypatch):
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    claim(in_flight)
    begin(in_flight)

    assert in_flight.hold_if_due()
    assert in_flight.hold_if_due() is None


def test_a_short_job_is_not_held(redis, in_flight, monkeypatch):
    monkeypatch.setattr(module, "HOLD_SECONDS", 60.0)
    claim(in_flight)
    begin(in_flight)

    assert in_flight.hold_if_due() is None
    assert len(held(redis, in_flight)) == 4


def test_between_two_jobs_there_is_nothing_to_hold(in_flight, monkeypatch):
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    claim(in_flight)

    assert in_flight.hold_if_due() is None


def test_a_job_that_is_alone_lets_the_others_go_before_it_begins(redis, in_flight):
    claim(in_flight)

    assert begin(in_flight, alone=True) == b"a"

    assert held(redis, in_flight) == {1: b"1:a"}
    assert waiting(redis) == [b"b", b"c", b"d"]


@pytest.mark.parametrize("page", [2], indirect=True)
def test_a_lone_job_that_others_have_taken_keeps_nothing_from_beginning_beside_others(redis, in_flight, page):
    first, second = page.lanes
    claim(in_flight, most=1)
    running = in_flight.hand_out(first, lambda payload: False)
    claim(in_flight, most=1)
    assert in_flight.hand_out(second, lambda payload: True) is None
    assert in_flight.is_alone
    assert redis.lpop("resque:queue:work") == b"b", "the lone one, taken by another worker"
    in_flight.done(running)

    claim(in_flight, most=1)
    assert in_flight.hand_out(first, lambda payload: False).payload == b"c"

    assert not in_flight.is_alone


def test_a_hold_that_redis_does_not_answer_is_tried_again(redis, in_flight, monkeypatch, settings, caplog):
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    claim(in_flight)
    begin(in_flight)
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
    in_flight._run._link.close()

    assert in_flight.hold_if_due() is None
    assert "Trying again until it answers." in caplog.text

    del settings.JOBQUEUE_REDIS_URL
    assert in_flight.hold_if_due() is None, "not at once"
    (place,) = in_flight._jobs.places.busy
    place.hold_at = time.monotonic()
    assert in_flight.hold_if_due().payload == b"a"
    assert waiting(redis) == [b"b", b"c", b"d"]


def test_a_job_that_redis_could_not_be_told_of_has_not_begun(in_flight, attention, page, settings):
    claim(in_flight)
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
    in_flight._run._link.close()
    attention.stop_by = time.monotonic()

    with pytest.raises(GaveUp):
        begin(in_flight, alone=True)

    assert page.running == set()


@pytest.mark.parametrize("judge", [None, lambda held, worker_id: Ending(held.token, "killed", b"entry")])
def test_a_job_that_its_thread_has_ended_is_done_although_nobody_could_note_it_in_time(
    redis, in_flight, page, judge
):
    claim(in_flight, most=1)
    begin(in_flight)
    page.lanes[0].finish(1)

    in_flight.abandon(judge)

    assert (waiting(redis), redis.llen("resque:failed")) == (JOBS[1:], 0)
    assert redis.get("resque:stat:processed") == b"1"


# Batches that got old


def test_a_batch_that_got_old_is_given_back_before_anything_of_it_begins(redis, in_flight, monkeypatch):
    """Its process was stopped meanwhile, and another may have recovered it."""
    claim(in_flight, most=2)
    monkeypatch.setattr(module, "STALE_SECONDS", -1.0)
    assert begin(in_flight) is None

    monkeypatch.setattr(module, "STALE_SECONDS", 60.0)
    assert claim(in_flight)

    assert held(redis, in_flight) == {3: b"0:a", 4: b"0:b", 5: b"0:c", 6: b"0:d"}
    assert perform(in_flight, 4) == JOBS


def test_a_claim_whose_answer_came_late_begins_nothing_that_others_have_recovered(
    redis, in_flight, link, monkeypatch
):
    """Its process was stopped between the claim and the answer."""
    claim_now, late = in_flight._run._run.claim, time.monotonic() + module.STALE_SECONDS + 1

    def claim_and_sleep(*args):
        claimed = claim_now(*args)
        runs.recover(link, in_flight._run.name, put_back)
        monkeypatch.setattr(module.time, "monotonic", lambda: late)
        return claimed

    monkeypatch.setattr(in_flight._run._run, "claim", claim_and_sleep)
    before = in_flight._run.name

    assert claim(in_flight, most=2)

    assert in_flight._run.name != before
    assert held(redis, in_flight) == {1: b"0:a", 2: b"0:b"}
    assert perform(in_flight, 2) == JOBS[:2]


@pytest.mark.parametrize("is_cut", [True, False])
def test_a_claim_whose_answer_came_late_is_performed_if_nobody_has_recovered_it(
    redis, in_flight, monkeypatch, is_cut
):
    claim_now, late = in_flight._run._run.claim, time.monotonic() + module.STALE_SECONDS + 1

    def claim_and_sleep(*args):
        claimed = claim_now(*args)
        monkeypatch.setattr(module.time, "monotonic", lambda: late)
        if is_cut:
            in_flight._run._link.close()
        return claimed

    monkeypatch.setattr(in_flight._run._run, "claim", claim_and_sleep)
    before = in_flight._run.name

    assert claim(in_flight)

    assert in_flight._run.name == before
    assert perform(in_flight, 4) == JOBS
    assert waiting(redis) == []


def test_the_jobs_behind_one_that_lasted_are_given_back(redis, in_flight, monkeypatch):
    claim(in_flight, most=3)
    perform(in_flight, 1)
    monkeypatch.setattr(module, "STALE_SECONDS", -1.0)
    begin(in_flight)

    in_flight.leave()

    assert waiting(redis) == [b"b", b"c", b"d"]
    assert processed(redis) == 1


# Runs that others have recovered


def test_a_lost_run_drops_what_it_had_and_begins_anew(redis, in_flight, page, link, caplog):
    claim(in_flight, most=2)
    perform(in_flight, 2)
    recover(in_flight, link)

    assert claim(in_flight, most=1)

    assert perform(in_flight, 1) == [b"a"]
    assert begin(in_flight) is None
    assert caplog.messages == [
        "worker host:1:work was taken for dead, or forgotten by Redis, and begins anew without its jobs"
    ]
    assert page.run == in_flight._run.name
    assert redis.zrange("resque:runs", 0, -1) == [page.run.encode()]
    assert redis.smembers("resque:workers") == {b"host:1:work"}
    assert processed(redis) == 0


def test_what_a_lost_run_had_finished_says_nothing_of_the_next_ones_jobs(redis, in_flight, page, link):
    """Its worker may die before it has read which jobs it got, under the same tokens."""
    claim(in_flight, most=2)
    perform(in_flight, 2)
    recover(in_flight, link)

    in_flight._lose()
    in_flight._run._run.claim(["work"], 2, in_flight._jobs.endings)
    dead = DeadWorker(pid=1, status=9, suspects=page.running, finished=page.finished, policy_of=no_retry)
    runs.recover(link, page.run, dead)

    assert waiting(redis) == JOBS


def test_the_failure_of_a_job_that_others_recovered_is_dropped(redis, in_flight, page, link):
    claim(in_flight)
    begin(in_flight)
    recover(in_flight, link)

    end(in_flight, b"entry")

    assert redis.exists("resque:failed") == 0
    assert waiting(redis) == JOBS
    assert page.running == set()


def test_a_job_that_is_alone_does_not_begin_in_a_lost_run(redis, in_flight, link):
    claim(in_flight)
    recover(in_flight, link)

    assert begin(in_flight, alone=True) is None

    assert waiting(redis) == JOBS


def test_a_run_may_be_lost_while_its_job_lasts(redis, in_flight, link, monkeypatch):
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    claim(in_flight)
    job = in_flight.hand_out(in_flight._page.lanes[0], lambda payload: False)
    recover(in_flight, link)

    assert in_flight.hold_if_due() is None
    in_flight.done(job)

    assert claim(in_flight)
    assert perform(in_flight, 4) == JOBS


def test_a_lost_run_keeps_no_watchdog_from_its_work_while_redis_is_away(
    in_flight, attention, monkeypatch, settings
):
    def lost(*_):
        in_flight._run._link.close()
        settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
        raise RunLost

    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    claim(in_flight)
    begin(in_flight)
    monkeypatch.setattr(in_flight._run._run, "start", lost)
    attention.stop()

    assert in_flight.hold_if_due() is None


# Connections that were cut, and a Redis that lost its last second


def test_after_a_reconnect_strays_are_given_back(redis, in_flight):
    """A Redis without its last second knows tokens that were settled before."""
    claim(in_flight, most=2)
    perform(in_flight, 2)
    claim(in_flight, most=2)
    redis.hset(f"resque:inflight:{in_flight._run.name}", mapping={"1": "0:4:worka", "2": "1:4:workb"})
    in_flight._run._link.close()

    perform(in_flight, 2)
    claim(in_flight, most=4)

    assert processed(redis) == 4
    assert perform(in_flight, 2) == [b"a", b"b"]


def test_after_a_reconnect_what_memory_knows_stays(redis, in_flight, monkeypatch):
    monkeypatch.setattr(module, "HOLD_SECONDS", 0.0)
    claim(in_flight, most=3)
    perform(in_flight, 1)
    begin(in_flight)
    in_flight._run._link.close()

    in_flight.hold_if_due()

    assert held(redis, in_flight) == {2: b"1:b"}
    assert waiting(redis) == [b"c", b"d"]
    assert processed(redis) == 1


def test_jobs_of_a_claim_whose_answer_was_lost_are_no_strays(redis, in_flight):
    in_flight._run._run.claim(["work"], 3, in_flight._jobs.endings)
    in_flight._run._run.next_token = 1
    in_flight._run._link.close()

    assert claim(in_flight)

    assert perform(in_flight, 3) == [b"a", b"b", b"c"]
    assert begin(in_flight) is None


def test_a_connection_that_was_cut_costs_nothing(redis, in_flight):
    claim(in_flight, most=2)
    perform(in_flight, 2)
    redis.client_kill_filter(_id=in_flight._run._link.command("CLIENT", "ID"))

    claim(in_flight)

    assert processed(redis) == 2
    assert perform(in_flight, 2) == [b"c", b"d"]


def test_strays_are_looked_for_once_after_each_reconnect(redis, in_flight):
    in_flight._run._link.close()
    claim(in_flight, most=2)
    perform(in_flight, 2)
    redis.config_resetstat()

    claim(in_flight, most=2)

    assert "cmdstat_hkeys" not in redis.info("commandstats")


# Jobs that end with their worker


def test_a_job_that_its_worker_ended_waits_again_at_the_head(redis, in_flight, page):
    claim(in_flight, most=2)
    job = in_flight.hand_out(in_flight._page.lanes[0], lambda payload: False)

    in_flight.end(job, Ending(job.token, "back"))
    assert page.running == set()

    in_flight.leave()
    assert waiting(redis) == JOBS


def test_a_job_whose_text_has_changed_is_put_back_at_once(redis, in_flight, page):
    claim(in_flight, most=2)
    job = in_flight.hand_out(in_flight._page.lanes[0], lambda payload: True)

    in_flight.end(job, Ending(job.token, "back", b"a again"))

    assert waiting(redis) == [b"a again", b"b", b"c", b"d"]
    assert page.running == set()
    assert in_flight.hand_out(in_flight._page.lanes[0], lambda payload: False) is None


def test_a_job_that_is_not_running_any_more_is_not_put_back(redis, in_flight):
    claim(in_flight)
    job = in_flight.hand_out(in_flight._page.lanes[0], lambda payload: False)
    end(in_flight)

    in_flight.end(job, Ending(job.token, "back"))

    in_flight.leave()
    assert waiting(redis) == [b"b", b"c", b"d"]


def test_leaving_settles_puts_back_and_leaves_no_trace(redis, in_flight, page, caplog):
    claim(in_flight, most=3)
    perform(in_flight, 1)

    in_flight.leave()

    assert waiting(redis) == [b"b", b"c", b"d"]
    assert processed(redis) == 1
    lasting = {b"resque:queues", b"resque:queue:work", b"resque:stat:processed"}
    assert [key for key in redis.keys("*") if key not in lasting and redis.ttl(key) < 0] == []
    assert (page.run, caplog.messages) == ("", [])


def test_a_job_that_does_not_end_in_time_is_put_back_and_told(redis, in_flight, caplog):
    claim(in_flight)
    begin(in_flight, alone=True)

    in_flight.leave()

    assert waiting(redis) == JOBS
    assert caplog.messages == ["put back: (Job{work} | b'a') did not end in time"]


def test_leaving_twice_is_leaving_once(redis, in_flight):
    claim(in_flight)

    in_flight.leave()
    in_flight.leave()

    assert waiting(redis) == JOBS


def test_a_run_that_others_recovered_leaves_no_trace_either(redis, in_flight, link):
    claim(in_flight)
    perform(in_flight, 2)
    recover(in_flight, link)

    in_flight.leave()

    assert waiting(redis) == JOBS
    assert not redis.exists("resque:runs", "resque:workers", "resque:workers:heartbeat")


def test_a_stopping_worker_does_not_wait_for_redis_without_end(in_flight, attention, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
    in_flight._run._link.close()
    attention.stop()
    attention.stop_by = time.monotonic()

    with pytest.raises(GaveUp):
        claim(in_flight)
