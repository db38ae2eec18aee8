"""Whatever is killed, no lock of a unique job is left without its job, and none lets two jobs in."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest
import redis as redis_client

from jobqueue import ids, locks, payload
from jobqueue.failure import Failure
from jobqueue.inspection.locks import every
from jobqueue.locks import Lock
from jobqueue.payload import Job
from jobqueue.store.locks import Candidate
from jobqueue.store.locks import enqueue as enqueue_locked
from tests.process.conftest import MODES, Jobworker, Ledger, wait_for
from tests.process.test_crashes import QUICK, disturb

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]

EVERYTHING = """
local found = redis.call("LRANGE", "resque:queue:work", 0, -1)
for _, run in ipairs(redis.call("ZRANGE", "resque:runs", 0, -1)) do
  for _, held in ipairs(redis.call("HVALS", "resque:inflight:" .. run)) do
    found[#found + 1] = held:match("^[01]:4:work(.*)$")
  end
end
return {found, redis.call("HGETALL", "resque:unique")}
"""


def enqueue(name: str, *args: object, until: str, by: object) -> str:
    """Enqueue a unique job of tests/workload/jobs.py; return its id, or that of the one that is there."""
    digest, id = locks.digest(name, by), ids.new_id()
    text = payload.encode(Job(f"tests.workload.jobs.{name}", list(args), id=id, unique=f"{until}:{digest}"))
    return enqueue_locked("work", [Candidate(digest, id, text)], "drop")[0] or id


def once(number: int, seconds: float = 0.0) -> str:
    return enqueue("once", number, seconds, until="queued", by=number)


def exclusive(key: int, number: int, seconds: float = 0.0) -> str:
    return enqueue("exclusive", key, number, seconds, until="done", by=key)


class Look(NamedTuple):
    """What waits or is in flight at one moment, and the locks."""

    jobs: list[Lock]
    holders: dict[str, str]
    """Ids, by digest."""

    @property
    def orphans(self) -> set[str]:
        """Who holds a lock and is nowhere."""
        return set(self.holders.values()) - {lock.id for lock in self.jobs}

    @property
    def exclusive(self) -> Counter[str]:
        """How many there are of jobs of which there may be one at a time."""
        return Counter(lock.digest for lock in self.jobs if not lock.ends_at_begin)


def look(redis: redis_client.Redis) -> Look:
    texts, pairs = redis.eval(EVERYTHING, 0)
    jobs = [lock for text in texts if (lock := locks.lock_of(text))]
    values = zip(pairs[::2], pairs[1::2], strict=True)
    return Look(jobs, {digest.decode(): value.split()[0].decode() for digest, value in values})


def has_started(redis: redis_client.Redis) -> bool:
    held = [value for key in redis.keys("resque:inflight:*") for value in redis.hvals(key)]
    return any(value.startswith(b"1:") for value in held)


def locked() -> int:
    return sum(len(some) for some in every())


@MODES
def test_a_job_that_kills_its_worker_holds_no_lock_any_more(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    first = once(1, 60)
    worker = jobworker("--queues", "work", *mode)
    ledger.wait_for("began 1")
    second = once(1)
    assert second != first

    for pid in worker.workers():
        os.kill(pid, signal.SIGKILL)
    ledger.wait_for("1")

    wait_for(lambda: redis.llen("resque:failed") == 1)
    failure = Failure.parse(redis.lindex("resque:failed", 0))
    assert failure.job and failure.job.id == first
    assert ledger.lines().count("1") == 1
    wait_for(lambda: locked() == 0)


@MODES
def test_a_job_that_is_killed_and_tried_again_keeps_others_out(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    first = exclusive(1, 1, 1.0)
    worker = jobworker("--queues", "work", *mode)
    wait_for(lambda: has_started(redis))

    for pid in worker.workers():
        os.kill(pid, signal.SIGKILL)

    while (again := exclusive(1, 2)) and not ledger.lines():
        assert again == first
    wait_for(lambda: locked() == 0)
    assert exclusive(1, 3) != first
    ledger.wait_for("3")
    # The last of these calls may have come when the job had ended
    late = [] if again == first else ["2"]
    assert ledger.lines() == ["1", *late, "3"]


def test_jobs_of_a_killed_tree_keep_their_locks_until_they_are_recovered(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobs = [exclusive(number, number, 0.005) for number in range(100)]
    tree = jobworker("--queues", "work", **QUICK)
    wait_for(lambda: len(ledger.lines()) > 10)
    tree.destroy()

    seen = look(redis)
    assert set(seen.holders.values()) == {lock.id for lock in seen.jobs}
    left = [number for number, id in enumerate(jobs) if id in seen.holders.values()]
    assert [exclusive(number, 1000 + number) for number in left] == [jobs[number] for number in left]

    jobworker("--queues", "work", **QUICK)
    wait_for(lambda: locked() == 0)
    assert set(ledger.lines()) == {str(number) for number in range(100)}


def test_random_kills_leave_no_lock_and_let_no_two_equal_jobs_in(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    """Jobs of 0 to 50 ms, one at a time for each key, while workers, supervisors and whole trees die."""
    chance = random.Random(20261121)
    trees = [jobworker("--queues", "work", "--count", "2", **QUICK) for _ in range(2)]
    enqueued: set[str] = set()
    for number in range(12):
        end = time.monotonic() + chance.uniform(0.1, 0.6)
        while time.monotonic() < end:
            enqueued.add(exclusive(chance.randrange(30), number, chance.uniform(0, 0.05)))
            enqueued.add(once(chance.randrange(30), chance.uniform(0, 0.02)))
            seen = look(redis)
            assert not seen.orphans
            assert set(seen.exclusive.values()) <= {1}
            assert seen.exclusive.keys() <= seen.holders.keys()
        disturb(chance, chance.choice(trees))
    for tree in trees:
        tree.signal_all(signal.SIGCONT)
        tree.destroy()
        tree.start()

    wait_for(lambda: look(redis) == ([], {}), seconds=60)
    assert len(enqueued) > 20
