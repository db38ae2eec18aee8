"""A worker that forks for each job, in this process; ``test_forking`` has the child."""

from __future__ import annotations

import os
import signal
import time

import pytest
import setproctitle

from jobqueue import job
from jobqueue.forkingworker import ForkingWorker
from jobqueue.interruption import END_SIGNAL
from jobqueue.patterns import QueueList
from jobqueue.payload import Job, encode
from jobqueue.sharedpage import SharedPage
from jobqueue.stopping import StopPlan, StopPlans
from jobqueue.store.pushing import push
from jobqueue.workeroptions import WorkerOptions
from tests.sample import jobs

pytestmark = pytest.mark.usefixtures("redis", "own_registry", "own_title")


@pytest.fixture
def make_worker(attention):
    """Return a function that makes a worker of the queue ``work``."""
    made = []

    def make(**options):
        options = WorkerOptions(queues=QueueList.parse("work"), **options)
        made.append(ForkingWorker(options, attention, SharedPage(), 0.0))
        return made[-1]

    yield make
    for worker in made:
        worker._lookout._bells.close()
        worker._in_flight._run._link.close()


def enqueue(definition, *args):
    push("work", [encode(Job(definition.name, list(args)))])


def test_each_job_is_performed_in_a_child(redis, make_worker, attention):
    @job(name="tell", queue="work")
    def tell():
        redis.rpush("pids", os.getpid())

    enqueue(tell)
    enqueue(tell)

    make_worker(burst=True).run()

    assert len({*redis.lrange("pids", 0, -1), str(os.getpid()).encode()}) == 3
    assert redis.get("resque:stat:processed") == b"2"


def test_a_child_that_dies_is_its_jobs_failure(redis, make_worker):
    die = job(name="die", queue="work")(lambda: os._exit(1))
    enqueue(die)
    enqueue(jobs.nothing)

    make_worker(burst=True).run()

    assert redis.llen("resque:failed") == 1
    assert (redis.get("resque:stat:processed"), redis.get("resque:stat:failed")) == (b"2", None)


def test_the_job_of_a_child_that_does_not_end_in_time_is_put_back(redis, make_worker, attention):
    attention._plans = StopPlans(graceful=StopPlan(finish_seconds=0.0, cleanup_seconds=0.0))

    @job(name="hang", queue="work")
    def hang():
        os.kill(os.getppid(), signal.SIGTERM)
        signal.pause()

    enqueue(hang)
    enqueue(jobs.record, 1)

    make_worker().run()

    assert [b'"hang"' in each for each in redis.lrange("resque:queue:work", 0, -1)] == [True, False]
    assert redis.llen("resque:failed") == 0


def test_a_job_that_no_child_could_be_forked_for_is_tried_again(redis, make_worker, monkeypatch):
    fork = os.fork

    def no_process():
        monkeypatch.setattr(os, "fork", fork)
        raise BlockingIOError("no process to spare")

    monkeypatch.setattr("jobqueue.forkingworker.FORK_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(os, "fork", no_process)
    enqueue(jobs.record, 1)

    worker = make_worker()
    worker.turn()
    worker.turn()
    worker.leave()

    assert redis.get("resque:stat:processed") == b"1"
    assert redis.llen("resque:failed") == 0


def test_a_job_that_is_put_back_for_its_crash_is_shown_no_more(redis, make_worker):
    enqueue(job(name="die", queue="work", on_crash="retry")(lambda: os._exit(1)))
    worker = make_worker()

    worker.turn()

    assert redis.llen("resque:queue:work") == 1
    assert not redis.exists(f"resque:worker:{worker.id}")


def test_a_child_says_what_it_does(redis, make_worker):
    enqueue(job(name="tell", queue="work")(lambda: redis.set("title", setproctitle.getproctitle())))

    make_worker().turn()

    assert redis.get("title") == b"jobworker (resque-3): Processing work"


def test_short_jobs_are_claimed_together(redis, make_worker, monkeypatch):
    # On a slow machine none is short
    monkeypatch.setattr("jobqueue.inflight.HOLD_SECONDS", 60.0)
    monkeypatch.setattr("jobqueue.inflight.STALE_SECONDS", 60.0)
    for _ in range(3):
        enqueue(job(name="count", queue="work")(lambda: redis.rpush("left", redis.llen("resque:queue:work"))))

    make_worker().turn()

    assert redis.lrange("left", 0, -1) == [b"0", b"0", b"0"]


def test_a_job_that_lasts_is_shown_and_lets_the_others_of_its_batch_go(redis, make_worker):
    @job(name="last", queue="work")
    def last():
        deadline = time.monotonic() + 30
        # What is told of it last
        while not (shown := redis.get(f"resque:worker:{worker.id}")) and time.monotonic() < deadline:
            time.sleep(0.001)
        redis.set("shown", shown or b"")
        redis.set("title", setproctitle.getproctitle())

    enqueue(last)
    enqueue(jobs.nothing)
    worker = make_worker()

    worker.turn()

    assert b'"class":"last"' in redis.get("shown")
    assert redis.llen("resque:queue:work") == 1
    assert redis.get("title") == b"jobworker (resque-3): Processing work"
    assert setproctitle.getproctitle().startswith("jobworker (resque-3): Forked for work at ")


def test_a_job_that_is_performed_alone_is_shown_before_it_begins(redis, make_worker):
    @job(name="alone", queue="work", batch=False)
    def alone():
        redis.set("shown", redis.get(f"resque:worker:{worker.id}") or b"")

    enqueue(alone)
    worker = make_worker()

    worker.turn()

    assert b'"class":"alone"' in redis.get("shown")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2], ids=["stopped", "paused"])
def test_a_worker_that_is_told_to_rest_begins_no_other_job_of_its_batch(redis, make_worker, number):
    enqueue(job(name="tell", queue="work")(lambda: os.kill(os.getppid(), number)))
    enqueue(jobs.record, 1)
    enqueue(jobs.record, 2)
    worker = make_worker()

    worker.turn()
    worker.leave()

    assert redis.get("resque:stat:processed") == b"1"
    assert [b"record" in each for each in redis.lrange("resque:queue:work", 0, -1)] == [True, True]


def test_of_a_batch_an_operator_ends_the_running_job_alone(redis, make_worker, attention):
    @job(name="hang", queue="work")
    def hang():
        os.kill(os.getppid(), END_SIGNAL)
        time.sleep(60)

    attention.pass_on()
    enqueue(hang)
    enqueue(jobs.nothing)

    make_worker(burst=True).run()

    assert (redis.get("resque:stat:processed"), redis.llen("resque:failed")) == (b"2", 1)
    assert b"TermException" in redis.lindex("resque:failed", 0)


def test_jobs_behind_one_that_is_tried_again_go_back_behind_it(redis, make_worker):
    enqueue(job(name="die", queue="work", on_crash="retry")(lambda: os._exit(1)))
    enqueue(jobs.record, 1)

    make_worker().turn()

    assert [b'"die"' in each for each in redis.lrange("resque:queue:work", 0, -1)] == [True, False]
