"""A worker in this process, turn by turn; ``process/`` has real processes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from random import Random
from unittest.mock import Mock

import pytest
import redis as redis_client
import setproctitle

from jobqueue import inflight, job, queueorder, registry, signals
from jobqueue import worker as module
from jobqueue.failure import Failure
from jobqueue.forkingworker import ForkingWorker
from jobqueue.patience import GaveUp
from jobqueue.patterns import QueueList
from jobqueue.payload import Job, encode
from jobqueue.sharedpage import SharedPage
from jobqueue.store.pushing import push
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions
from tests.sample import jobs

pytestmark = pytest.mark.usefixtures("redis", "own_registry", "own_title")

COUNT = 2000
"""How many jobs are to be performed while connections are cut."""


@pytest.fixture
def quick_threads():
    """Let threads take turns so often that they meet each other anywhere."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def make_worker(attention):
    """Return a function that makes a worker of the queue ``work``."""
    made = []

    def make(queues="work", kind=Worker, **options):
        options = WorkerOptions(queues=QueueList.parse(queues), **options)
        made.append(kind(options, attention, SharedPage(), 0.0))
        return made[-1]

    yield make
    for worker in made:
        worker._lookout._bells.close()
        worker._in_flight._run._link.close()


def enqueue(definition, *args, queue="work", **fields):
    push(queue, [encode(Job(definition.name, list(args), **fields))])


def record(*numbers, queue="work"):
    """Enqueue jobs that tell their number."""
    for number in numbers:
        enqueue(jobs.record, number, queue=queue)


def numbers(done):
    return [number for _, number in done]


def waiting(redis, queue="work"):
    return redis.llen(f"resque:queue:{queue}")


def work_off(worker):
    while worker.turn():
        pass


# Turns


def test_a_turn_without_jobs_says_so(make_worker):
    assert not make_worker().turn()


def test_a_turn_performs_a_batch_and_the_next_settles_it(redis, make_worker, done):
    record(1, 2, 3)
    worker = make_worker()

    assert worker.turn()
    assert numbers(done) == [1, 2, 3]
    assert redis.get("resque:stat:processed") is None

    assert not worker.turn()
    assert redis.get("resque:stat:processed") == b"3"
    assert redis.get(f"resque:stat:processed:{worker.id}") == b"3"


def test_batches_grow_while_jobs_are_short(make_worker, done):
    record(*range(100))
    worker = make_worker()
    sizes = []

    while worker.turn():
        sizes.append(len(done) - sum(sizes))

    assert sizes[0] == 4 and max(sizes) > 4
    assert numbers(done) == list(range(100))


def test_a_failure_stands_in_failed_and_the_rest_goes_on(redis, make_worker, done):
    enqueue(jobs.fail, "no luck")
    record(1)
    worker = make_worker()

    work_off(worker)

    failure = Failure.parse(redis.lindex("resque:failed", 0))
    assert (failure.exception, failure.error, failure.queue) == ("ValueError", "no luck", "work")
    assert failure.worker == worker.id
    assert numbers(done) == [1]


def test_queues_are_worked_off_in_the_order_of_the_list(make_worker, done):
    record(1, 2, queue="low")
    record(3, 4, queue="high")

    work_off(make_worker("high,low"))

    assert numbers(done) == [3, 4, 1, 2]


@pytest.mark.parametrize("text", ["high=6,default=3,low=1", "h*=6,default=3,l*=1"])
def test_full_queues_with_weights_are_worked_off_in_turns_by_their_weights(
    make_worker, done, monkeypatch, text
):
    monkeypatch.setattr(queueorder, "Random", lambda: Random(20261121))
    worker = make_worker(text)
    monkeypatch.setattr(worker, "_most", lambda: 1)
    for queue in ("high", "default", "low"):
        record(*[queue] * 400, queue=queue)

    for _ in range(400):
        worker.turn()

    counts = Counter(numbers(done))
    assert counts["high"] == pytest.approx(240, abs=30)
    assert counts["default"] == pytest.approx(120, abs=30)
    assert counts["low"] == pytest.approx(40, abs=20)


def test_a_worker_of_many_queues_stays_for_a_moment_with_a_full_one(make_worker, done, monkeypatch):
    queues = [f"q{number}" for number in range(30)]
    worker = make_worker(",".join(queues))
    record(*range(100), queue=queues[-1])
    worker.turn()
    record(1000, queue=queues[0])

    monkeypatch.setattr(worker._focus, "_whole_look_at", float("inf"))
    worker.turn()
    assert 1000 not in numbers(done)

    monkeypatch.setattr(worker._focus, "_whole_look_at", 0.0)
    worker.turn()
    assert numbers(done)[-1] == 1000


def test_a_worker_of_many_queues_leaves_a_full_one_that_is_empty_now(make_worker, done, monkeypatch):
    worker = make_worker(",".join(f"q{number}" for number in range(30)))
    record(*range(worker._size.most), queue="q20")
    worker.turn()
    record(1000, queue="q10")

    monkeypatch.setattr(worker._focus, "_whole_look_at", float("inf"))
    worker.turn()

    assert numbers(done)[-1] == 1000


@pytest.mark.parametrize("kind", [Worker, ForkingWorker])
def test_a_queue_may_have_any_name(redis, make_worker, kind):
    payload = encode(Job("tests.sample.jobs.nothing", []))
    for name in (b"\xff\x00", b"\xc3\xbc", b""):
        redis.sadd("resque:queues", name)
        redis.rpush(b"resque:queue:" + name, payload, b"no job")

    work_off(make_worker("*", kind))

    assert redis.get("resque:stat:processed") == b"6"
    assert redis.llen("resque:failed") == 3


def test_the_id_is_resques(make_worker, settings):
    settings.JOBQUEUE_HOSTNAME = "app:1"

    assert make_worker("high,mail_*,!low").id == f"app-1:{os.getpid()}:high,mail_*"


# Jobs that are performed alone


@pytest.fixture
def seen(redis):
    """Return what the job ``look`` has seen: how many jobs waited, and whether a page showed it."""
    seen = []

    @job(name="look", queue="work", batch=False)
    def look():
        shown = [redis.get(key) for key in redis.keys("resque:worker:*:work")]
        seen.append((waiting(redis), b'"look"' in shown[0]))

    return seen


def test_a_job_that_asks_for_it_is_performed_alone_and_shown_at_once(make_worker, seen, done):
    enqueue(registry.get("look"))
    record(1, 2)

    work_off(make_worker())

    assert seen == [(2, True)]
    assert numbers(done) == [1, 2]


def test_a_job_that_was_there_when_a_process_died_is_performed_alone(redis, make_worker):
    left = []
    count = job(name="count", queue="work")(lambda: left.append(waiting(redis)))
    for crashes in (0, 0, 1, 0):
        enqueue(count, crashes=crashes)

    make_worker().turn()

    assert left == [0, 0, 1]


def test_what_is_no_job_is_no_lonely_job(redis, make_worker):
    push("work", [b"no job", b"{}"])

    work_off(make_worker())

    assert redis.llen("resque:failed") == 2


def test_a_job_that_lasts_is_shown_in_the_title(make_worker, monkeypatch):
    monkeypatch.setattr(inflight, "HOLD_SECONDS", 0.0)
    worker = make_worker()
    titles = []

    @job(name="look", queue="work")
    def look():
        worker._hold_if_due()
        titles.append(setproctitle.getproctitle())

    enqueue(look)
    worker.turn()
    worker._hold_if_due()

    (title,) = titles
    assert title.startswith("jobworker (resque-3): Processing work since ")
    assert title.endswith(" [look]")


def test_a_text_that_is_no_job_is_shown_as_unreadable(make_worker, monkeypatch):
    monkeypatch.setattr(inflight, "HOLD_SECONDS", 0.0)
    worker = make_worker()
    push("work", [b"\xff"])
    monkeypatch.setattr(worker, "_perform", lambda job: worker._hold_if_due())

    worker.turn()

    assert setproctitle.getproctitle().endswith(" [unreadable]")


# Patterns


def test_patterns_find_the_queues_that_are_there(make_worker, done):
    record(1, queue="mail_out")
    record(2, queue="other")

    work_off(make_worker("mail_*"))

    assert numbers(done) == [1]


def test_a_busy_worker_looks_for_new_queues_once_a_second(make_worker, done, monkeypatch):
    worker = make_worker("*")
    assert not worker.turn()
    record(1, queue="new")

    assert not worker.turn()
    monkeypatch.setattr(worker._lookout, "_known_until", 0.0)
    assert worker.turn()


def test_a_new_queue_wakes_a_worker_with_patterns(make_worker, done):
    worker = make_worker("*", interval_seconds=30.0)
    assert not worker.turn()
    record(1, queue="new")

    worker.wait()

    assert worker.turn()
    assert numbers(done) == [1]


def test_a_worker_that_learns_of_a_queue_wakes_the_next_to_learn_of_it(redis, make_worker):
    worker = make_worker("*", interval_seconds=30.0)
    record(1, queue="new")

    worker.wait()
    assert redis.lpop("resque:wake") == b"1"

    assert worker.turn()
    assert not worker.turn()
    assert redis.exists("resque:wake") == 0


def test_a_worker_with_patterns_that_hears_a_queues_bell_claims_before_it_reads_the_names_of_others(
    redis, make_worker, monkeypatch, done
):
    worker = make_worker("*", interval_seconds=30.0)
    record(1, queue="mail")
    wait = worker._lookout._bells.wait

    def wait_for_long(*args, **options):
        rung = wait(*args, **options)
        worker._lookout._known_until = 0.0
        return rung

    monkeypatch.setattr(worker._lookout._bells, "wait", wait_for_long)
    worker.wait()
    redis.config_resetstat()

    assert worker.turn()
    assert numbers(done) == [1]
    assert "cmdstat_smembers" not in redis.info("commandstats")


def test_a_worker_with_patterns_that_hears_of_a_new_queue_claims_from_it_at_once(
    make_worker, monkeypatch, done
):
    worker = make_worker("*", interval_seconds=30.0)
    wait = worker._lookout._bells.wait

    def wait_while_a_queue_appears(*args, **options):
        record(1, queue="new")
        return wait(*args, **options)

    monkeypatch.setattr(worker._lookout._bells, "wait", wait_while_a_queue_appears)
    worker.wait()

    assert worker.turn()
    assert numbers(done) == [1]


# Waiting


def test_a_ring_ends_the_wait(make_worker, done):
    worker = make_worker(interval_seconds=30.0)
    record(1)

    worker.wait()

    assert worker.turn()


def test_a_wait_ends_after_the_interval(make_worker):
    worker = make_worker(interval_seconds=0.01)

    worker.wait()

    assert setproctitle.getproctitle() == "jobworker (resque-3): Working on work"


def test_a_signal_ends_the_wait(make_worker, attention):
    worker = make_worker(interval_seconds=30.0)
    os.kill(os.getpid(), 15)

    worker.wait()

    assert attention.is_stopping


def test_a_woken_worker_wakes_the_next_while_jobs_remain(redis, make_worker):
    record(*range(10))
    worker = make_worker(interval_seconds=30.0)
    worker.wait()
    assert redis.exists("resque:wake:work") == 0

    worker.turn()

    assert waiting(redis) == 6
    assert redis.llen("resque:wake:work") == 1


def test_a_worker_that_can_claim_but_not_wait_tells_it_once_and_looks_often(make_worker, monkeypatch, caplog):
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.0)
    worker = make_worker()
    with monkeypatch.context() as patch:
        patch.setattr(
            worker._lookout._bells, "wait", Mock(side_effect=redis_client.ConnectionError("no more clients"))
        )
        for _ in range(4):
            worker.wait()

    record(1)
    assert worker.turn()
    assert [message for message in caplog.messages if "cannot wait for rings" in message] == [
        f"worker {worker.id} cannot wait for rings and looks every second: no more clients"
    ]


def test_one_wait_that_was_cut_off_is_not_worth_a_line(make_worker, monkeypatch, caplog):
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.0)
    worker = make_worker(interval_seconds=0.05)
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(
                worker._lookout._bells, "wait", Mock(side_effect=redis_client.ConnectionError("cut"))
            )
            worker.wait()
        worker.wait()

    assert "cut" not in caplog.text


# The end


def test_a_worker_leaves_when_no_job_is_left(redis, make_worker, done):
    record(1, 2)
    worker = make_worker(burst=True)

    worker._work()

    assert numbers(done) == [1, 2]
    assert not redis.exists("resque:workers", "resque:runs")


def test_a_worker_that_stops_begins_no_other_job(redis, make_worker, attention, done):
    stop = job(name="stop", queue="work")(attention.stop)
    enqueue(stop)
    record(1, 2)

    make_worker()._work()

    assert done == []
    assert waiting(redis) == 2
    assert redis.get("resque:stat:processed") == b"1"


def test_a_worker_that_stops_wakes_another_in_its_place(redis, make_worker, attention):
    worker = make_worker(interval_seconds=30.0)
    record(1)
    worker.wait()
    attention.stop()

    worker._work()

    assert redis.llen("resque:wake:work") == 1
    assert waiting(redis) == 1


def test_a_process_performs_no_more_jobs_than_it_was_told(redis, make_worker, done):
    record(*range(8))

    make_worker(jobs_per_fork=6)._work()

    assert numbers(done) == list(range(6))
    assert waiting(redis) == 2


def test_a_worker_whose_supervisor_died_leaves(redis, make_worker, attention, done):
    record(1)
    worker = make_worker()
    attention._supervisor = os.getpid()

    worker._work()

    assert attention.is_stopping
    assert (done, waiting(redis)) == ([], 1)


def test_a_worker_waits_between_two_looks(make_worker, attention, monkeypatch):
    worker = make_worker(interval_seconds=0.01)
    waits = []
    wait = worker.wait

    def wait_twice():
        waits.append(wait())
        if len(waits) == 2:
            attention.stop()

    monkeypatch.setattr(worker, "wait", wait_twice)
    worker._work()

    assert len(waits) == 2


def test_the_watchdog_runs_beside_the_jobs_of_a_process(make_worker, attention, monkeypatch):
    worker = make_worker()
    started = []
    monkeypatch.setattr(worker._watchdog, "start", lambda: started.append("watchdog"))
    attention.stop()

    worker.run()

    assert started == ["watchdog"]


def test_a_stop_without_redis_gives_up(make_worker, attention, settings):
    record(1)
    worker = make_worker()
    worker.turn()
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"
    worker._in_flight._run._link.close()
    attention.stop()
    attention.stop_by = time.monotonic()

    with pytest.raises(GaveUp):
        worker.leave()


# Pausing, growing, retiring


@pytest.fixture
def heard():
    """Return what the signals of workers tell."""
    heard = []
    receivers = []
    for name in ("worker_paused", "worker_continued"):
        receivers.append(lambda name=name, **told: heard.append((name, told["sender"], told["worker_id"])))
        getattr(signals, name).connect(receivers[-1])
    yield heard
    for name, receiver in zip(("worker_paused", "worker_continued"), receivers, strict=True):
        getattr(signals, name).disconnect(receiver)


def send(number):
    os.kill(os.getpid(), number)


def test_a_worker_pauses_after_the_running_job_and_lets_the_others_go_in_order(
    redis, make_worker, done, heard
):
    pause = job(name="pause", queue="work")(lambda: send(signal.SIGUSR2))
    enqueue(pause)
    record(1, 2)
    worker = make_worker()
    worker.turn()
    assert done == []

    threading.Timer(0.2, send, [signal.SIGCONT]).start()
    worker.pause()

    waits = redis.lrange("resque:queue:work", 0, -1)
    assert [b"[1]" in each for each in waits] == [True, False]
    assert redis.get("resque:stat:processed") == b"1"
    assert heard == [("worker_paused", Worker, worker.id), ("worker_continued", Worker, worker.id)]
    work_off(worker)
    assert numbers(done) == [1, 2]


def test_a_worker_that_stops_in_its_pause_does_not_continue(make_worker, attention, heard):
    send(signal.SIGUSR2)
    attention.stop()

    make_worker()._work()

    assert heard == []


def test_a_worker_that_pauses_wakes_another_in_its_place(redis, make_worker, attention):
    worker = make_worker(interval_seconds=30.0)
    record(1)
    worker.wait()
    send(signal.SIGUSR2)
    attention.stop()

    worker.pause()

    assert redis.llen("resque:wake:work") == 1


def test_a_worker_with_patterns_that_leaves_lets_another_hear_of_new_queues(redis, make_worker):
    make_worker("*").leave()

    assert redis.llen("resque:wake") == 1


@pytest.mark.parametrize(("megabytes", "left"), [(0.0, 0), (1e6, 0), (1.0, 8)])
def test_a_process_that_has_grown_leaves_the_rest_to_the_next(redis, make_worker, done, megabytes, left):
    record(*range(12))
    worker = make_worker(max_memory_mb=megabytes, burst=True)

    worker._work()

    assert waiting(redis) == left
    assert (worker.is_used_up, worker.is_done) == (left > 0, left == 0)


def test_a_worker_that_retires_leaves_after_its_batch(redis, make_worker, done):
    worker = make_worker()
    retire = job(name="retire", queue="work")(worker._page.retire)
    enqueue(retire)
    record(*range(12))

    worker._work()

    assert numbers(done) == [0, 1, 2]
    assert waiting(redis) == 9
    assert not worker.is_done


# Connections that are cut again and again


@pytest.mark.usefixtures("quick_threads")
def test_each_job_is_performed_once_while_all_connections_are_cut_again_and_again(
    redis_factory, monkeypatch, make_worker
):
    server = redis_factory()
    monkeypatch.setenv("REDIS_URL", server.url)
    pushed, performed = [], []
    cut, over = threading.Event(), threading.Event()

    @job(name="number", queue="work")
    def number(n):
        performed.append(n)
        if len(performed) % 20 == 0:
            cut.set()

    def produce():
        for n in range(COUNT):
            enqueue(number, n)
            pushed.append(n)

    worker = make_worker(interval_seconds=0.05)
    with server.client() as client:
        producer = threading.Thread(target=produce)
        cutter = threading.Thread(target=cut_connections, args=(client, cut, pushed, over))
        for thread in (producer, cutter):
            thread.start()
        while producer.is_alive() or len(performed) < len(pushed):
            worker.turn() or worker.wait()
        over.set()
        for thread in (producer, cutter):
            thread.join()
        work_off(worker)

        assert sorted(performed) == list(range(COUNT))
        assert worker._in_flight._run._link.connects > 10
        assert client.get("resque:stat:processed") == str(COUNT).encode()
        worker.leave()
        assert not client.exists("resque:failed", "resque:runs", "resque:queue:work")


def cut_connections(client, cut, pushed, over):
    """Cut the connections of all others whenever it is asked for.

    A push sends itself again only once, so one that was hit must have ended before the next cut.
    """
    last = -1
    while not over.is_set():
        cut.wait(0.1)
        cut.clear()
        if len(pushed) > min(last + 1, COUNT - 1):
            last = len(pushed)
            client.client_kill_filter(_type="normal", skipme=True)
