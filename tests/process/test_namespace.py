"""After a full life nothing is left in Redis but what Resque keeps for ever, and what fades by itself."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator

import pytest
import redis as redis_client

from jobqueue import clock
from jobqueue.link import Link
from jobqueue.payload import Job, encode
from jobqueue.store import failures, queues, values, workers
from jobqueue.store.pushing import push
from tests.process.conftest import MODES, Jobworker, Ledger, enqueue, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]

QUICK = {"TEST_DEAD_AFTER": "1.5", "TEST_HEARTBEAT": "0.3"}
LASTING = {"queues", "failed", "stat:processed", "stat:failed"}
"""Resque's own: it keeps the names of queues, failures until somebody removes them, and counters."""
FADING = {
    r"wake|wake:.*": 60,  # a token that nobody takes; workers that do not wait look before they do
    r"sent:.*": 60,  # longer than any push is sent again
    r"value:.*": 24 * 3600,  # a forgotten value answers requests from before
}
"""Our own keys that may be left when nothing runs, and the most seconds that they stay."""


@pytest.fixture
def start(jobworker: Start) -> Iterator[Callable[..., Jobworker]]:
    """Start workers of all queues that notice soon who is dead."""
    yield lambda *options: jobworker("--queues", "work,other", *options, **QUICK)


def stop(worker: Jobworker) -> None:
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


def settle(redis: redis_client.Redis) -> None:
    """Wait until nothing waits and nothing is in flight."""
    # A run without jobs has its worker's name and, once it has claimed, its next token
    wait_for(lambda: not redis.keys("resque:queue:*"))
    wait_for(lambda: all(redis.hlen(key) <= 2 for key in redis.keys("resque:inflight:*")))


@MODES
def test_a_full_life_leaves_nothing_but_resques_lasting_keys(
    redis: redis_client.Redis, start: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    worker = start("--count", "2", "--shutdown-timeout", "0.3", *mode)

    live_through_jobs(redis, ledger)
    live_through_pauses(redis, worker, ledger)
    live_through_a_stop(redis, worker, ledger)
    live_through_a_crash(redis, start, ledger, mode)
    live_through_values()
    live_beside_ruby(redis)

    assert_only_lasting(redis)


def live_through_jobs(redis: redis_client.Redis, ledger: Ledger) -> None:
    """Jobs are done, fail, crash, are tried again, are garbage; failures are retried and removed."""
    enqueue("perform", 1)
    enqueue("fail", 2)
    enqueue("die", 3)
    enqueue("try_again", 4, "run_out_of_memory", 1)
    push("work", [b"garbage", encode(Job("unknown", []))])
    ledger.wait_for("4")
    wait_for(lambda: redis.llen("resque:failed") == 4)
    failures.retry_all()
    wait_for(lambda: redis.llen("resque:failed") == 7)
    assert failures.clear_retried() == 3
    settle(redis)


def live_through_pauses(redis: redis_client.Redis, worker: Jobworker, ledger: Ledger) -> None:
    """Queues are paused, resumed and removed, all workers pause and continue."""
    queues.pause("other")
    enqueue("perform", 5, queue="other")
    enqueue("perform", 6)
    ledger.wait_for("6")
    redis.set("resque:pause-all-workers", "true")
    redis.delete("resque:pause-all-workers")
    worker.signal(signal.SIGUSR2)
    worker.signal(signal.SIGCONT)
    queues.resume("other")
    ledger.wait_for("5")
    queues.pause("removed")
    enqueue("perform", 7, queue="removed")
    queues.remove_queue("removed")
    settle(redis)


def live_through_a_stop(redis: redis_client.Redis, worker: Jobworker, ledger: Ledger) -> None:
    """Two jobs are ended and put back."""
    for number in (8, 9):
        enqueue("try_again_long", number, 60)
        ledger.wait_for(f"began {number}")
    stop(worker)
    assert redis.llen("resque:queue:work") == 2


def live_through_a_crash(
    redis: redis_client.Redis, start: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    """A tree of workers is killed with what it has in flight, and recovered by the next one."""
    crashed = start(*mode)
    ledger.wait_for("9")
    enqueue("begin_and_wait", 10, 60)
    ledger.wait_for("began 10")
    wait_for(lambda: redis.keys("resque:worker:*:work,other"))
    enqueue("perform", 11)
    crashed.signal_all(signal.SIGKILL)
    crashed.process.wait()

    rescuer = start(*mode)
    ledger.wait_for("11")
    wait_for(lambda: len(redis.smembers("resque:workers")) == 1)
    settle(redis)
    stop(rescuer)


def live_through_values() -> None:
    """A background value is requested, computed and forgotten."""
    ticket = values.take("value", values.request("value"))
    assert ticket
    values.store("value", ticket, "1")
    values.store("value", values.take("value", None) or 0, None)


def live_beside_ruby(redis: redis_client.Redis) -> None:
    """A worker of Ruby dies."""
    redis.sadd("resque:workers", "ruby:1:work")
    redis.hset("resque:workers:heartbeat", "ruby:1:work", clock.heartbeat(0))
    redis.set("resque:worker:ruby:1:work:started", "long ago")
    redis.set("resque:stat:processed:ruby:1:work", 1)
    redis.set("resque:worker:ruby:1:work", '{"queue":"work","payload":{"class":"A","args":[]}}')
    link = Link()
    assert workers.prune_dead(link) == ["ruby:1:work"]
    link.close()


def assert_only_lasting(redis: redis_client.Redis) -> None:
    seconds = {key.decode().removeprefix("resque:"): redis.ttl(key) for key in redis.keys("resque:*")}
    # What fades between the two commands is answered with -2
    assert {key for key, left in seconds.items() if left == -1} == LASTING
    for key in seconds.keys() - LASTING:
        (most,) = [most for pattern, most in FADING.items() if re.fullmatch(pattern, key)]
        assert seconds[key] <= most, key
