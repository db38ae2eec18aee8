"""A supervisor in this process, turn by turn, over real worker processes."""

from __future__ import annotations

import os
import signal
import time
from functools import cache

import pytest
import setproctitle

from jobqueue import job, recovering, workerprocess
from jobqueue import supervisor as module
from jobqueue.failure import Failure
from jobqueue.patterns import QueueList
from jobqueue.payload import Job, encode
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.pushing import push
from jobqueue.supervisor import Supervisor
from jobqueue.workeroptions import WorkerOptions
from tests.process.conftest import wait_for

# Its own signals come and go with ``attention``, which gives pytest's back
pytestmark = pytest.mark.usefixtures("redis", "own_registry", "attention")

AWAY = "redis://127.0.0.1:1"


@pytest.fixture
def make_supervisor(monkeypatch):
    """Return a function that makes a supervisor for the queue ``work``; its workers end with the test."""
    made = []
    title = setproctitle.getproctitle()

    def make(**options):
        supervisor = Supervisor(WorkerOptions(queues=QueueList.parse("work"), **options))
        attention = supervisor._attention
        # One that has run has closed it, and its file descriptors may be others' now
        monkeypatch.setattr(attention, "close", cache(attention.close))
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        for pid in pids(supervisor):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        supervisor._guardian.dismiss()
        supervisor._recoverer._link.close()
        supervisor._attention.close()
    setproctitle.setproctitle(title)


def pids(supervisor):
    return [slot.pid for slot in supervisor._slots if slot.pid]


def turn_until(supervisor, condition):
    """Take turns until the condition holds; return what it returned."""

    def found():
        supervisor.turn()
        return condition()

    return wait_for(found)


def registered(redis):
    return redis.smembers("resque:workers")


def enqueue(name, *args):
    push("work", [encode(Job(name, list(args)))])


def silent_run(redis, link, payload=b"a"):
    """Have a run with one job in flight whose heartbeats ended long ago."""
    push("work", [payload])
    run = Run(link, "elsewhere:1:work")
    run.register(0.0)
    run.claim(["work"], 1, Endings())
    redis.zadd("resque:runs", {run.name: 1000})
    return run


def test_as_many_workers_as_asked_for_are_kept(redis, make_supervisor):
    supervisor = make_supervisor(count=2)

    supervisor.turn()
    first = pids(supervisor)
    supervisor.turn()

    assert len(first) == 2
    assert pids(supervisor) == first
    wait_for(lambda: len(registered(redis)) == 2)


def test_it_looks_again_when_the_first_job_is_to_be_killed(make_supervisor):
    supervisor = make_supervisor(count=2)
    supervisor.turn()
    now = time.monotonic_ns()
    assert 0.5 < supervisor._seconds_to_next_look() <= 1

    supervisor._slots[0].page.lanes[0].limit(60, now + 60_000_000_000)
    supervisor._slots[1].page.lanes[0].limit(1, now + 400_000_000)

    assert supervisor._seconds_to_next_look() <= 0.4


def test_a_worker_that_died_is_recovered_and_replaced_at_once(redis, make_supervisor, caplog):
    job(name="die", queue="work")(lambda: os.kill(os.getpid(), signal.SIGKILL))
    supervisor = make_supervisor()
    supervisor.turn()
    (first,) = pids(supervisor)

    enqueue("die")
    turn_until(supervisor, lambda: redis.llen("resque:failed"))

    assert "SIGKILL (signal 9)" in Failure.parse(redis.lindex("resque:failed", 0)).error
    assert pids(supervisor) != [first]
    assert f":{first}:work died: Child process received unhandled signal pid {first} SIGKILL" in caplog.text


def test_a_worker_that_dies_at_its_start_is_started_again_after_a_pause(make_supervisor, monkeypatch, caplog):
    def broken(options, slot, heard):
        raise RuntimeError("no work today")

    monkeypatch.setattr(workerprocess, "work", broken)
    supervisor = make_supervisor()

    supervisor.turn()
    turn_until(supervisor, lambda: not pids(supervisor))
    supervisor.turn()
    assert pids(supervisor) == []

    supervisor._slots[0].restart_at = time.monotonic()
    supervisor.turn()
    assert len(pids(supervisor)) == 1
    assert "died: exit status 1, with no job" in caplog.text


def test_a_worker_that_cannot_be_started_is_tried_again_later(make_supervisor, monkeypatch, caplog):
    def fork():
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    supervisor = make_supervisor()

    supervisor.turn()
    supervisor.turn()

    why = "can be started: Resource temporarily unavailable"
    assert caplog.messages == [f"no guardian of the workers {why}", f"no worker {why}"]
    assert supervisor._slots[0].restart_at > time.monotonic()


def test_the_pauses_of_workers_that_die_at_their_start_grow(make_supervisor, monkeypatch):
    monkeypatch.setattr(workerprocess, "work", lambda options, slot, heard: 1)
    supervisor = make_supervisor()
    pauses = []

    for _ in range(4):
        supervisor._slots[0].restart_at = 0.0
        supervisor.turn()
        turn_until(supervisor, lambda: not pids(supervisor))
        pauses.append(supervisor._slots[0].restart_at - time.monotonic())

    assert pauses[0] < 0.5 < pauses[2] < pauses[3]


def test_a_worker_whose_supervisor_died_meanwhile_does_not_work(make_supervisor, monkeypatch, redis):
    monkeypatch.setattr(workerprocess.lifeline, "is_orphan", lambda parent: True)
    supervisor = make_supervisor()

    supervisor.turn()
    turn_until(supervisor, lambda: not pids(supervisor))

    assert registered(redis) == set()


def test_a_worker_that_left_after_its_jobs_is_replaced(make_supervisor, monkeypatch, caplog):
    monkeypatch.setattr(workerprocess, "work", lambda options, slot, heard: 0)
    supervisor = make_supervisor()
    supervisor.turn()
    (first,) = pids(supervisor)

    turn_until(supervisor, lambda: pids(supervisor) not in ([], [first]))

    assert "died" not in caplog.text


def test_with_burst_nobody_replaces_a_worker_that_left(redis, make_supervisor, monkeypatch):
    enqueue("tests.sample.jobs.nothing")
    supervisor = make_supervisor(count=2, burst=True)

    supervisor.run()

    assert redis.get("resque:stat:processed") == b"1"
    assert registered(redis) == set()


# Stopping


def test_a_stop_is_passed_on_and_waited_for(redis, make_supervisor):
    supervisor = make_supervisor(count=2)
    supervisor.turn()
    wait_for(lambda: len(registered(redis)) == 2)

    os.kill(os.getpid(), signal.SIGTERM)
    turn_until(supervisor, lambda: all(slot.is_finished for slot in supervisor._slots))

    assert pids(supervisor) == []
    assert registered(redis) == set()


def hang(redis, supervisor):
    """Let a worker be in a job that has no end."""

    @job(name="hang", queue="work")
    def hang():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        redis.set("hanging", 1)
        signal.pause()

    enqueue("hang")
    supervisor.turn()
    wait_for(lambda: redis.get("hanging"))


@pytest.mark.parametrize("impatience", ["second signal", "time is over"])
def test_a_worker_that_does_not_stop_is_killed_and_its_job_put_back(redis, make_supervisor, impatience):
    supervisor = make_supervisor()
    hang(redis, supervisor)

    supervisor._attention.stop()
    if impatience == "second signal":
        supervisor._attention.stops = 2
    else:
        supervisor._attention.stop_by = time.monotonic() - module.KILL_AFTER_SECONDS
    turn_until(supervisor, lambda: supervisor._slots[0].is_finished)

    assert redis.llen("resque:queue:work") == 1
    assert redis.llen("resque:failed") == 0
    assert registered(redis) == set()


# When Redis is away


def test_what_a_dead_worker_had_is_recovered_once_redis_is_back(redis, make_supervisor, settings, caplog):
    supervisor = make_supervisor()
    hang(redis, supervisor)
    os.kill(*pids(supervisor), signal.SIGKILL)

    settings.JOBQUEUE_REDIS_URL = AWAY
    supervisor._recoverer._link.close()
    turn_until(supervisor, lambda: supervisor._recoverer._unrecovered)
    supervisor.turn()
    assert len(supervisor._recoverer._unrecovered) == 1

    del settings.JOBQUEUE_REDIS_URL
    supervisor.turn()
    assert supervisor._recoverer._unrecovered == []
    assert redis.llen("resque:failed") == 1
    assert "Redis answers again" in caplog.text


def test_workers_do_not_begin_on_a_connection_of_the_supervisor(redis, make_supervisor):
    supervisor = make_supervisor()
    supervisor._recoverer._link.connect()

    supervisor.turn()

    assert supervisor._recoverer._link.connects == 2  # one before the fork, one for the heartbeats after it


# Heartbeats, and the dead of other machines


def test_heartbeats_tell_of_each_worker_when_they_are_due(redis, make_supervisor, settings):
    settings.JOBQUEUE_HEARTBEAT_SECONDS = 0.0
    supervisor = make_supervisor()
    supervisor.turn()
    run = wait_for(lambda: redis.zrange("resque:runs", 0, -1))[0]
    redis.zadd("resque:runs", {run: 1})

    supervisor.turn()

    assert redis.zscore("resque:runs", run) > 1


def test_heartbeats_that_are_not_due_wait(redis, make_supervisor, settings):
    settings.JOBQUEUE_HEARTBEAT_SECONDS = 60.0
    supervisor = make_supervisor()
    supervisor.turn()
    run = wait_for(lambda: redis.zrange("resque:runs", 0, -1))[0]
    redis.zadd("resque:runs", {run: 1})

    supervisor.turn()

    assert redis.zscore("resque:runs", run) == 1


def test_a_silent_run_is_recovered_and_told(redis, make_supervisor, link, settings, caplog):
    supervisor = make_supervisor(count=0)
    settings.JOBQUEUE_DEAD_AFTER_SECONDS = 0.0
    run = silent_run(redis, link, encode(Job("A", [])))

    supervisor.turn()

    assert redis.lrange("resque:queue:work", 0, -1) == [b'{"class":"A","args":[],"crashes":1}']
    assert f"run {run.name} sent no heartbeat for 0 s: recovered" in caplog.messages


def test_a_supervisor_takes_nobody_for_dead_before_it_has_lived_as_long(redis, make_supervisor, link):
    supervisor = make_supervisor(count=0)
    run = silent_run(redis, link)

    supervisor.turn()

    assert redis.zscore("resque:runs", run.name) == 1000


def test_after_an_outage_of_redis_nobody_is_taken_for_dead(redis, make_supervisor, link, settings):
    settings.JOBQUEUE_HEARTBEAT_SECONDS = 0.0
    supervisor = make_supervisor(count=0)
    supervisor._recoverer._steady_since -= 60
    settings.JOBQUEUE_REDIS_URL = AWAY
    supervisor.turn()

    del settings.JOBQUEUE_REDIS_URL
    run = silent_run(redis, link)
    supervisor.turn()

    assert redis.zscore("resque:runs", run.name) == 1000


def test_after_a_jump_of_redis_clock_nobody_is_taken_for_dead(redis, make_supervisor, link, settings):
    """The living look silent until each of them has sent its next heartbeat."""
    settings.JOBQUEUE_HEARTBEAT_SECONDS = 0.0
    supervisor = make_supervisor(count=0)
    supervisor.turn()
    supervisor._recoverer._steady_since -= 60
    run = silent_run(redis, link)

    supervisor._recoverer._ahead -= 60
    supervisor.turn()

    assert redis.zscore("resque:runs", run.name) == 1000


def test_a_run_that_nobody_can_read_is_told_once_and_keeps_no_other_waiting(
    redis, make_supervisor, link, settings, caplog
):
    settings.JOBQUEUE_HEARTBEAT_SECONDS = settings.JOBQUEUE_DEAD_AFTER_SECONDS = 0.0
    supervisor = make_supervisor(count=0)
    redis.hset("resque:inflight:broken", "1", "no payload")
    redis.zadd("resque:runs", {"broken": 1})
    silent_run(redis, link)

    supervisor.turn()
    supervisor.turn()

    complaint = "run broken cannot be recovered: b'no payload' is not how a payload is held in flight"
    assert [message for message in caplog.messages if "broken" in message] == [complaint]
    assert redis.llen("resque:queue:work") == 1


def test_where_failures_have_no_place_the_dead_wait(redis, make_supervisor, link, settings, caplog):
    settings.JOBQUEUE_DEAD_AFTER_SECONDS, settings.JOBQUEUE_MAX_CRASHES = 0.0, 1
    supervisor = make_supervisor(count=0)
    run = silent_run(redis, link)
    redis.set("resque:failed", "no list")

    supervisor.turn()

    assert f"run {run.name} cannot be recovered: WRONGTYPE resque:failed is no list" in caplog.text
    assert redis.zscore("resque:runs", run.name) == 1000


def test_of_two_supervisors_only_one_recovers_a_run(
    redis, make_supervisor, link, settings, caplog, monkeypatch
):
    supervisor = make_supervisor(count=0)
    settings.JOBQUEUE_DEAD_AFTER_SECONDS = 0.0
    run = silent_run(redis, link)
    silent = recovering.runs.silent_runs

    def others_are_quicker(*arguments):
        found = silent(*arguments)
        redis.zrem("resque:runs", run.name)
        return found

    monkeypatch.setattr(recovering.runs, "silent_runs", others_are_quicker)
    supervisor.turn()

    assert caplog.messages == []
    assert redis.exists("resque:queue:work") == 0


def test_a_redis_that_is_away_stops_no_supervisor(make_supervisor, settings, caplog):
    settings.JOBQUEUE_HEARTBEAT_SECONDS = 0.0
    settings.JOBQUEUE_REDIS_URL = AWAY
    supervisor = make_supervisor(count=0)

    supervisor.turn()
    supervisor.turn()

    assert sum("Trying again until it answers." in message for message in caplog.messages) == 1


def test_the_title_tells_what_is_supervised(make_supervisor):
    make_supervisor(count=0).run()

    assert setproctitle.getproctitle() == "jobworker (resque-3): Supervising 0 for work"


def test_a_stop_that_comes_at_the_last_moment_is_not_lost_in_new_code(make_supervisor, monkeypatch):
    supervisor, executed = make_supervisor(), []
    monkeypatch.setattr(supervisor._renewal, "is_due", lambda: True)
    monkeypatch.setattr(supervisor._renewal, "execute", executed.append)
    monkeypatch.setattr(
        supervisor._recoverer, "heartbeat_now", lambda alive: signal.raise_signal(signal.SIGTERM)
    )

    supervisor._renew_if_due()

    assert supervisor._attention.is_stopping
    assert executed == []
