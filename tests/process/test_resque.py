"""A worker's life in Redis is Resque's, key by key; what Ruby and strangers enqueue is performed or fails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import redis as redis_client

from tests import goldenfiles
from tests.process.conftest import Jobworker, Ledger, enqueue, wait_for

pytestmark = pytest.mark.process
Start = Callable[..., Jobworker]

OURS = re.compile(r"resque:(runs$|inflight:|wake$|wake:|sent:)")
RUBYS = {"resque:pruning_dead_workers_in_progress"}
"""Ruby's pruning lock; our dead are recovered by their runs."""
JOBS = {"SlowReport": "begin_and_wait", "BouncingEmailer": "fail"}


def shape(dump: dict[str, Any]) -> dict[str, Any]:
    """Return keys and values with host, pids, times and messages made equal."""
    text = json.dumps({key: value for key, value in dump.items() if key not in RUBYS and not OURS.match(key)})
    text = re.sub(r"[\w.-]+:\d+:(emails,reports|\*)", r"HOST:PID:\1", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", r"TIME\1", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ([+-]\d{4})", r"TIME \1", text)
    return json.loads(re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \w+", "TIME ZONE", text))


def ours(redis: redis_client.Redis) -> dict[str, Any]:
    return shape({key: value for key, value in goldenfiles.dump(redis).items() if key != "ledger"})


def rubys(name: str) -> dict[str, Any]:
    return shape(goldenfiles.values(name))


@pytest.fixture
def worker(redis: redis_client.Redis, jobworker: Start) -> Jobworker:
    started = jobworker("--queues", "emails,reports", "--interval", "0.1")
    wait_for(lambda: redis.smembers("resque:workers"))
    return started


def test_an_idle_worker_looks_like_rubys(redis: redis_client.Redis, worker: Jobworker) -> None:
    assert ours(redis) == rubys("worker_idle")


def test_a_worker_with_patterns_looks_like_rubys(redis: redis_client.Redis, jobworker: Start) -> None:
    jobworker("--queues", "*,!low")
    wait_for(lambda: redis.smembers("resque:workers"))

    assert ours(redis) == rubys("worker_idle_pattern_queues")


def test_a_working_worker_looks_like_rubys(
    redis: redis_client.Redis, worker: Jobworker, ledger: Ledger
) -> None:
    redis.sadd("resque:queues", "reports")
    redis.rpush("resque:queue:reports", '{"class":"SlowReport","args":[1,"monthly"]}')

    wait_for(lambda: redis.keys("resque:worker:*:emails,reports"))

    assert ours(redis) == rubys("worker_working")


def test_success_failure_and_stop_are_written_as_rubys(
    redis: redis_client.Redis, worker: Jobworker, ledger: Ledger
) -> None:
    redis.sadd("resque:queues", "reports")
    redis.rpush("resque:queue:reports", '{"class":"Report","args":[1]}')
    wait_for(lambda: redis.get("resque:stat:processed") == b"1")
    assert ours(redis) == rubys("worker_after_success")

    redis.sadd("resque:queues", "emails")
    args = '["person@example.com","Sample Subject","Hello there"]'
    redis.rpush("resque:queue:emails", f'{{"class":"BouncingEmailer","args":{args}}}')
    wait_for(lambda: redis.get("resque:stat:processed") == b"2")
    assert like_rubys(ours(redis)) == like_rubys(rubys("worker_after_failure"))

    worker.signal(15)
    worker.wait()
    assert like_rubys(ours(redis)) == like_rubys(rubys("worker_stopped_by_quit"))


def like_rubys(dump: dict[str, Any]) -> dict[str, Any]:
    """Check the backtrace's form and take it out, as it names the other program's files."""
    (entry,) = [json.loads(text) for text in dump.pop("resque:failed")]
    assert all(re.fullmatch(r".+:\d+:in `\w+'", line) for line in entry["backtrace"])
    assert entry["exception"].endswith(("ArgumentError", "ValueError"))
    keys = list(entry)
    for changing in ("backtrace", "exception"):
        del entry[changing]
    return {**dump, "entry": entry, "keys": keys}


def test_a_killed_child_is_written_as_rubys(redis: redis_client.Redis, jobworker: Start) -> None:
    jobworker("--queues", "emails,reports", "--jobs-per-fork", "1", "--interval", "0.1")
    redis.sadd("resque:queues", "reports")
    redis.rpush("resque:queue:reports", '{"class":"Killer","args":[60,"killed"]}')
    wait_for(lambda: redis.llen("resque:failed"))
    wait_for(lambda: not redis.keys("resque:worker:*:emails,reports"))

    mine, his = ours(redis), rubys("child_killed")

    entry, rubys_entry = (json.loads(*dump.pop("resque:failed")) for dump in (mine, his))
    assert re.sub(r"\d{2,}", "PID", entry["error"]) == re.sub(r"\d{2,}", "PID", rubys_entry["error"])
    assert list(entry) == list(rubys_entry) and entry["backtrace"] == []
    assert mine == his


HOSTILE = [
    b"",
    b"no json",
    b"\xff\xfe\x00",
    b"null",
    b"42",
    b'"text"',
    b"[1,2]",
    b"{}",
    b'{"class":null,"args":[]}',
    b'{"class":["a"],"args":[]}',
    b'{"class":"Nobody::Knows","args":[1]}',
    b'{"class":"tests.workload.jobs.perform","args":[]}',
    b'{"class":"tests.workload.jobs.perform","args":{"number":1},"id":5,"crashes":"x"} trailing',
    b'{"class":"os.system","args":["true"]}',
    b"[" * 5000,
    b'{"class":"x","args":[' + b"9" * 6000 + b"]}",
    b'{"class":"x"',
    b'{"class":"x","args":[NaN]}',
]


@pytest.mark.parametrize("mode", [(), ("--jobs-per-fork", "1")], ids=["long-lived", "forking"])
def test_whatever_stands_in_a_queue_becomes_a_failure_and_the_worker_lives_on(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger, mode: tuple[str, ...]
) -> None:
    redis.rpush("resque:queue:work", *HOSTILE)
    enqueue("perform", 1)

    worker = jobworker("--queues", "work", *mode)
    ledger.wait_for("1")

    wait_for(lambda: redis.llen("resque:failed") == len(HOSTILE))
    for raw in redis.lrange("resque:failed", 0, -1):
        entry = json.loads(raw)
        assert isinstance(entry["payload"], dict) and entry["exception"] and entry["error"]
    assert "died" not in worker.log
    assert redis.get("resque:stat:failed") == str(len(HOSTILE)).encode()


def test_a_key_that_is_no_queue_does_not_stop_the_others(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    redis.set("resque:queue:broken", "a text")
    enqueue("perform", 1)

    jobworker("--queues", "broken,work")

    ledger.wait_for("1")


def test_patterns_find_queues_that_come_later(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    jobworker("--queues", "*,!skipped", "--interval", "60")
    wait_for(lambda: any(each["cmd"] == "blpop" for each in redis.client_list()))

    enqueue("perform", 1, queue="new one")
    enqueue("perform", 2, queue="skipped")
    ledger.wait_for("1")
    enqueue("perform", 3, queue="ünï:cödé")
    ledger.wait_for("3")

    assert ledger.lines() == ["1", "3"]


def test_paused_queues_and_pause_all_are_honoured(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    redis.sadd("resque:paused", "first")
    jobworker("--queues", "first,second", "--interval", "0.1")
    enqueue("perform", 1, queue="first")
    enqueue("perform", 2, queue="second")
    ledger.wait_for("2")
    redis.set("resque:pause-all-workers", " True ")
    enqueue("perform", 3, queue="second")
    assert ledger.lines() == ["2"]

    redis.delete("resque:pause-all-workers")
    ledger.wait_for("3")
    redis.delete("resque:paused")
    ledger.wait_for("1")


def shown_jobs(redis: redis_client.Redis) -> list[Any]:
    """Return what the working workers show."""
    names = [key for key in redis.keys("resque:worker:*") if not key.endswith(b":started")]
    return [json.loads(shown) for shown in redis.mget([*names, "none"]) if shown]


def test_a_long_job_holds_no_other_captive_and_is_shown(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    for _ in range(5):
        enqueue("noop")
    enqueue("begin_and_wait_for", 1, "go on")
    for number in range(2, 8):
        enqueue("perform", number)

    jobworker("--queues", "work", "--count", "2")
    ledger.wait_for("7")

    assert "1" not in ledger.lines()
    # The other worker shows its last job until that is settled
    wait_for(lambda: len(shown_jobs(redis)) == 1)
    (shown,) = shown_jobs(redis)
    assert list(shown) == ["queue", "run_at", "payload"]
    assert shown["payload"]["class"] == "tests.workload.jobs.begin_and_wait_for"


def test_a_job_that_asks_for_it_is_shown_from_its_first_moment(
    redis: redis_client.Redis, jobworker: Start, ledger: Ledger
) -> None:
    enqueue("alone", 1)
    enqueue("show_worker")

    jobworker("--queues", "work")
    wait_for(lambda: len(ledger.lines()) == 2)

    assert ledger.lines()[1] == "shown: show_worker"
