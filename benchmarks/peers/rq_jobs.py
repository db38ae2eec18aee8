"""The jobs of RQ."""

from __future__ import annotations

import os
import sys

from redis import Redis
from rq import Queue

from benchmarks.peers import work

BULK = 500
TIMEOUT_SECONDS = 5


def main(kind: str, count: str) -> None:
    queue = Queue("work", connection=Redis.from_url(os.environ["REDIS_URL"]))
    function, calls = work.KINDS[kind], work.calls(int(count))
    for start in range(0, len(calls), BULK):
        queue.enqueue_many(
            [
                Queue.prepare_data(function, arguments, result_ttl=0, timeout=TIMEOUT_SECONDS)
                for arguments in calls[start : start + BULK]
            ]
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
