"""Without a fault each job is performed exactly once, by the account of the jobs themselves."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import redis as redis_client

from jobqueue.payload import Job, encode
from jobqueue.store.pushing import push
from tests.process.conftest import own_keys, wait_for

JOBS = 100_000


def test_each_of_100_000_jobs_is_performed_once_by_four_workers(
    redis: redis_client.Redis, jobworker, tmp_path: Path
) -> None:
    account = tmp_path / "account"
    worker = jobworker("--queues", "work", "--count", "4", TEST_ACCOUNT=str(account))
    wait_for(lambda: len(redis.smembers("resque:workers")) == 4)
    name = "tests.workload.jobs.count"
    push("work", [encode(Job(name, [number], id=f"{number:022}")) for number in range(JOBS)])
    wait_for(lambda: redis.get("resque:stat:processed") == str(JOBS).encode(), seconds=120)
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert Counter(account.read_text().split()) == {str(number): 1 for number in range(JOBS)}
    assert redis.llen("resque:failed") == 0
    assert len({line.split()[1] for line in worker.log.splitlines() if line.endswith("started")}) == 4
    assert own_keys(redis) == []
