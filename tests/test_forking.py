from __future__ import annotations

import errno
import json
import os
import re
import signal
import time
from functools import partial
from itertools import repeat

import pytest

from jobqueue import delayed, forking, job, payload
from jobqueue.failure import Failure
from jobqueue.forking import Forking
from jobqueue.payload import Job
from jobqueue.recovery import Ending
from jobqueue.store.delivery import Claimed
from tests.sample import jobs

WORKER = "host:7:work"

pytestmark = pytest.mark.usefixtures("own_registry", "redis")


def claimed(function, *args, name="A", crashes=0, **options):
    definition = job(name=name, queue="work", **options)(function)
    return Claimed(1, "work", payload.encode(Job(definition.name, list(args), crashes=crashes)))


def perform(function, attention, *args, look=lambda: None, **options):
    """Perform a function as a job, in a child."""
    return Forking(WORKER, attention, look).perform(claimed(function, *args, **options))


def test_a_job_is_done_in_another_process(attention, redis):
    ending = perform(lambda: redis.set("pid", os.getpid()), attention)

    assert ending == Ending(1, "done")
    assert int(redis.get("pid")) != os.getpid()


def test_what_a_job_leaves_in_memory_ends_with_its_process(attention, done):
    assert perform(lambda: done.append("left"), attention) == Ending(1, "done")

    assert jobs.done == []


def test_a_job_that_raises_reports_its_failure(attention):
    def fail(message):
        raise ValueError(message)

    ending = perform(fail, attention, "ü" * 100_000)  # more than a pipe holds at once

    failure = Failure.parse(ending.text)
    assert (failure.exception, failure.error) == ("ValueError", "ü" * 100_000)
    assert (failure.worker, failure.queue) == (WORKER, "work")
    assert ending.how == "failed"


@pytest.mark.parametrize(
    ("death", "error"),
    [
        (
            lambda: os.kill(os.getpid(), signal.SIGKILL),
            r"received unhandled signal pid \d+ SIGKILL \(signal 9\)",
        ),
        (lambda: os.kill(os.getpid(), 40), r"received unhandled signal pid \d+ signal 40"),
        (lambda: os._exit(3), r"pid \d+ exited with status 3 before its job had ended"),
        (lambda: os._exit(0), r"pid \d+ exited with status 0 before its job had ended"),
    ],
)
def test_the_death_of_a_child_is_its_jobs_failure_alone(attention, death, error):
    ending = perform(death, attention)

    assert ending.how == "killed"
    failure = Failure.parse(ending.text)
    assert failure.exception == "jobqueue.exceptions.DirtyExit"
    assert list(json.loads(ending.text)["payload"]) == ["class", "args"]
    assert re.fullmatch(f"Child process {error}", failure.error)


def test_a_job_that_may_crash_is_tried_again_with_one_more_crash(attention):
    ending = perform(lambda: os._exit(0), attention, on_crash="retry")

    assert ending == Ending(1, "back", payload.encode(Job("A", [], crashes=1)))


def test_a_job_that_has_crashed_too_often_fails(attention):
    ending = perform(lambda: os._exit(0), attention, on_crash="retry", max_crashes=2, crashes=1)

    assert ending.how == "killed"
    assert Failure.parse(ending.text).error.endswith("A was in flight in 2 processes that died")


def test_a_job_is_told_that_its_time_is_over(attention):
    failure = Failure.parse(perform(signal.pause, attention, timeout=0.05).text)

    assert failure.exception == "jobqueue.exceptions.JobTimeout"
    assert failure.error == "The job ran longer than its timeout of 0.05 s"


def test_a_job_that_does_not_end_when_told_is_killed_and_not_tried_again(attention, settings):
    settings.JOBQUEUE_TIMEOUT_GRACE_SECONDS = 0.05

    ending = perform(lambda: any(repeat(False)), attention, timeout=0.05, on_crash="retry")

    assert ending.how == "killed"
    failure = Failure.parse(ending.text)
    assert failure.exception == "jobqueue.exceptions.JobTimeout"
    assert failure.error.endswith("and its process was killed")


def test_a_job_that_is_tried_again_reports_what_waits(attention):
    def fail(message):
        raise ValueError(message)

    ending = perform(fail, attention, "ü" * 100_000, retries=1, backoff=[12.5])

    again = payload.decode(delayed.read(ending.text).payload)
    assert (ending.token, ending.how, ending.pause_ms) == (1, "later", 12_500)
    assert (again.args, again.attempt) == (["ü" * 100_000], 2)


def test_a_job_that_is_killed_for_its_timeout_is_tried_again_as_any_that_fails(attention, settings):
    settings.JOBQUEUE_TIMEOUT_GRACE_SECONDS = 0.05

    ending = perform(lambda: any(repeat(False)), attention, timeout=0.05, retries=1, backoff=[7])

    (failed,) = payload.decode(ending.text).attempts
    assert (ending.how, ending.pause_ms) == ("later", 7_000)
    assert failed.exception == "jobqueue.exceptions.JobTimeout"
    assert failed.error.endswith("and its process was killed")


def test_a_site_may_give_all_jobs_a_timeout(attention, settings):
    settings.JOBQUEUE_JOB_TIMEOUT_SECONDS = 0.05

    assert "its timeout of 0.05 s" in Failure.parse(perform(signal.pause, attention).text).error


def test_the_limit_of_a_child_that_crashed_does_not_meet_the_next_one(attention):
    forking = Forking(WORKER, attention, lambda: None)
    forking._report.page.lanes[0].limit(1, 1)

    assert forking.perform(claimed(lambda: time.sleep(0.1))) == Ending(1, "done")


def test_what_became_of_one_job_says_nothing_of_the_next_one_under_its_token(attention):
    """A worker that has lost its run begins its tokens anew."""
    forking = Forking(WORKER, attention, lambda: None)
    done, dead = claimed(lambda: None), claimed(lambda: os._exit(0), name="B")

    assert [forking.perform(each).how for each in (done, dead, done)] == ["done", "killed", "done"]


def test_a_child_leaves_signals_to_stop_to_its_worker(attention):
    def stop_all():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            os.kill(os.getpid(), number)

    assert perform(stop_all, attention) == Ending(1, "done")


def test_a_child_that_holds_up_a_stop_is_killed_and_its_job_put_back(attention):
    attention.stop()
    attention.stop_by = time.monotonic()

    ending = perform(signal.pause, attention)

    assert ending == Ending(1, "back")


def test_a_job_that_ends_while_its_worker_stops_is_done(attention):
    attention.stop()

    assert perform(lambda: None, attention) == Ending(1, "done")


def test_a_job_may_have_children_that_live_longer(attention, redis):
    """They hold the file of the report open."""

    def have_child():
        pid = os.fork()
        if pid == 0:
            signal.pause()
        redis.set("child", pid)

    assert perform(have_child, attention) == Ending(1, "done")

    os.kill(int(redis.get("child")), signal.SIGKILL)


def test_a_machine_without_a_process_to_spare_has_the_job_put_back(attention, monkeypatch, caplog):
    def no_process():
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", no_process)

    assert perform(lambda: None, attention) == Ending(1, "back")
    assert "no child can be forked: [Errno 11] Resource temporarily unavailable" in caplog.text
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def _wait_for_end_of(parent):
    deadline = time.monotonic() + 30
    while os.getppid() == parent and time.monotonic() < deadline:
        time.sleep(0.001)


def test_a_child_whose_worker_has_died_meanwhile_performs_nothing(attention, redis, monkeypatch):
    text = payload.encode(Job(job(name="A", queue="work")(lambda: redis.set("performed", 1)).name, []))
    alive, end = os.pipe()
    worker = os.fork()
    if worker == 0:
        # The orphan comes to its lifeline only when its worker is gone
        monkeypatch.setattr(forking, "hear", partial(_wait_for_end_of, os.getpid()))
        Forking(WORKER, attention, lambda: None)._fork(Claimed(1, "work", text))
        os._exit(0)
    os.close(end)
    os.waitpid(worker, 0)

    assert os.read(alive, 1) == b""
    os.close(alive)
    assert not redis.exists("performed")


def test_a_job_that_closes_all_files_is_done(attention):
    assert perform(lambda: os.closerange(3, 256), attention) == Ending(1, "done")


def test_a_look_is_taken_while_a_job_lasts(attention):
    looks = []

    perform(lambda: time.sleep(0.1), attention, look=lambda: looks.append(1))

    assert looks


def test_a_worker_waits_for_a_job_that_lasts_in_peace(attention):
    looks = []

    perform(lambda: time.sleep(0.2), attention, look=lambda: looks.append(1))

    assert len(looks) < 5
