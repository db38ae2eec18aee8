from __future__ import annotations

import pytest

from jobqueue import lockkeeping
from jobqueue.inspection.locks import every
from jobqueue.lockkeeping import LockKeeping
from jobqueue.payload import Job, encode
from jobqueue.store import unlocking
from jobqueue.store.locks import Candidate, delay, enqueue
from jobqueue.store.unlocking import release_orphans

pytestmark = pytest.mark.usefixtures("redis")

NOW = 1_800_000_000_000
OLD = "0" * 22
"""The id of a job from 1971."""


def candidate(number, id=None):
    digest = f"{number:024x}"
    id = id or f"{OLD[:-4]}{number:04d}"
    return Candidate(digest, id, encode(Job("a", [number], id=id, unique=f"queued:{digest}")))


def held():
    """Return the numbers of the locks that are there."""
    return sorted(int(lock.digest, 16) for some in every() for lock in some)


@pytest.fixture
def some(redis):
    """Enqueue and delay old unique jobs, and take those of odd numbers away."""
    for number in range(6):
        enqueue("work", [candidate(number)], "drop")
    for number in range(6, 10):
        delay("work", [candidate(number)], NOW, "drop")
    for number in (1, 3, 5):
        redis.lrem("resque:queue:work", 1, candidate(number).payload)
    delayed = redis.zrange("resque:later", 0, -1)
    redis.zrem("resque:later", delayed[1], delayed[3])


def look(link):
    """Let a scheduler look after all locks, however slow this machine is; return when it comes again."""
    keeping = LockKeeping()
    while (moment := keeping(link, NOW)) == NOW:
        pass
    return moment


def test_locks_whose_jobs_are_gone_are_released_and_no_others(some, link, caplog):
    assert look(link) == NOW + 60_000

    assert held() == [0, 2, 4, 6, 8]
    assert "released the locks of unique jobs that are gone: 5" in caplog.text


def test_one_scheduler_looks_in_a_minute(some, link, redis):
    look(link)
    redis.delete("resque:queue:work")

    assert look(link) == NOW + 60_000
    assert held() == [0, 2, 4, 6, 8]

    redis.delete("resque:unique:looked_after")
    look(link)
    assert held() == [6, 8]


def test_a_look_goes_on_where_it_stopped(some, link, monkeypatch):
    monkeypatch.setattr(lockkeeping, "SLICE_SECONDS", -1)
    monkeypatch.setattr(unlocking, "READ_AT_ONCE", 2)
    keeping, turns = LockKeeping(), 1
    while keeping(link, NOW) == NOW:
        turns += 1

    assert turns > 4
    assert held() == [0, 2, 4, 6, 8]


def test_young_locks_are_left_alone_unless_asked_for(redis):
    job = Job("a", [1], id="z" * 22, unique=f"queued:{1:024x}")
    enqueue("work", [Candidate(f"{1:024x}", job.id, encode(job))], "drop")
    redis.delete("resque:queue:work")

    assert sum(release_orphans()) == 0
    assert sum(release_orphans(young_too=True)) == 0, "its id is of the far future"


def test_jobs_in_flight_keep_their_locks(some, redis):
    redis.zadd("resque:runs", {"run": 1})
    redis.hset("resque:inflight:run", "1", b"0:4:work" + candidate(1).payload)

    assert sum(release_orphans()) == 4
    assert held() == [0, 1, 2, 4, 6, 8]


def test_what_is_no_lock_is_removed(redis):
    redis.hset("resque:unique", "x", "nonsense")

    assert sum(release_orphans()) == 1
    assert not redis.exists("resque:unique")


def test_a_queue_that_is_no_list_hinders_nothing(some, redis):
    redis.sadd("resque:queues", "broken")
    redis.set("resque:queue:broken", "x")

    assert sum(release_orphans()) == 5


def test_without_locks_nothing_is_read(redis):
    commands = []

    assert sum(release_orphans(lambda *command: commands.append(command) or (b"0", []))) == 0
    assert {name for name, *_ in commands} == {"HSCAN"}


def test_only_places_that_locks_name_are_read(some, link, redis):
    redis.rpush("resque:queue:long", *["{}"] * 10)
    redis.sadd("resque:queues", "long")
    read = set()

    def command(*parts):
        if parts[0] in ("LRANGE", "ZRANGE"):
            read.add(parts[1])
        return link.command(*parts)

    assert sum(release_orphans(command)) == 5
    assert read == {"resque:queue:work", "resque:later"}
