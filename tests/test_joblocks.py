from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from jobqueue.inspection.locks import every
from jobqueue.payload import Job, encode
from jobqueue.store.locks import Candidate, enqueue

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def lock():
    """Return a function that enqueues a unique job."""

    def make(number):
        digest, id = f"{number:024x}", f"job-{number}"
        payload = encode(Job("Report", [number], id=id, unique=f"queued:{digest}"))
        enqueue("work", [Candidate(digest, id, payload)], "drop")

    return make


def holders():
    return sorted(lock.id for some in every() for lock in some)


def test_locks_are_listed(lock, capsys):
    lock(1)

    call_command("joblocks")

    assert capsys.readouterr().out == "job-1  Report(1), until it begins, for queue 'work'\n"


def test_that_there_is_none_is_told(capsys):
    call_command("joblocks")

    assert capsys.readouterr().out == "No lock is held: no unique job waits or runs.\n"


def test_arguments_by_name_are_told_and_have_no_effect_on_the_terminal(capsys):
    payload = encode(Job("Re\x1bport", [], {"since": "today"}, id="job-1", unique=f"queued:{1:024x}"))
    enqueue("work", [Candidate(f"{1:024x}", "job-1", payload)], "drop")

    call_command("joblocks")

    assert capsys.readouterr().out.startswith(r"job-1  Re\x1bport(since='today'), until")


def test_one_lock_is_released(lock, capsys):
    lock(1)
    lock(2)

    call_command("joblocks", "--release", "job-1")

    assert capsys.readouterr().out == "Released; its job stays where it is.\n"
    assert holders() == ["job-2"]


def test_a_job_without_a_lock_is_told(lock):
    with pytest.raises(
        CommandError, match="No job 'job-1' holds a lock; without options the locks are listed"
    ):
        call_command("joblocks", "--release", "job-1")


def test_orphans_are_released(lock, redis, capsys):
    lock(1)
    lock(2)
    redis.lpop("resque:queue:work")

    call_command("joblocks", "--release-orphans")

    assert capsys.readouterr().out == "1 lock released.\n"
    assert holders() == ["job-2"]


def test_a_redis_that_is_away_is_told(settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1/0"

    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("joblocks")
