"""Without a fault each job is performed exactly once, by the account of the jobs themselves."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
import redis as redis_client

from jobqueue.payload import Job, encode
from jobqueue.store.pushing import push
from tests.process.conftest import UNMEASURED, Mode, full_name, own_keys, wait_for

WORKERS = 4


@pytest.mark.parametrize(
    ("mode", "jobs"),
    # As many as each mode performs in a few seconds, on a busy machine
    [
        pytest.param((), 100_000, id="long-lived"),
        pytest.param(("--jobs-per-fork", "1"), 1000, id="forking"),
        pytest.param(("--threads", "8"), 30_000, id="8 threads"),
        pytest.param(("--async",), 30_000, id="50 async"),
    ],
)
def test_each_of_so_many_jobs_is_performed_once_by_four_workers(
    redis: redis_client.Redis, jobworker, tmp_path: Path, mode: Mode, jobs: int
) -> None:
    account = tmp_path / "account"
    environ = {"TEST_ACCOUNT": str(account), **UNMEASURED}
    worker = jobworker("--queues", "work", "--count", str(WORKERS), *mode, **environ)
    wait_for(lambda: len(redis.smembers("resque:workers")) == WORKERS)
    name = full_name("count", mode)
    push("work", [encode(Job(name, [number], id=f"{number:022}")) for number in range(jobs)])
    wait_for(lambda: redis.get("resque:stat:processed") == str(jobs).encode(), seconds=100)
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert Counter(account.read_text().split()) == {str(number): 1 for number in range(jobs)}
    assert redis.llen("resque:failed") == 0
    assert len({line.split()[1] for line in worker.log.splitlines() if line.endswith("started")}) == WORKERS
    assert own_keys(redis) == []
