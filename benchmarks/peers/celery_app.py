"""The jobs of Celery."""

from __future__ import annotations

import os
import sys

from celery import Celery

from benchmarks.peers import work

app = Celery("benchmarks.peers.celery_app", broker=os.environ["REDIS_URL"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late="BENCH_ACKS_LATE" in os.environ,
    task_reject_on_worker_lost="BENCH_ACKS_LATE" in os.environ,
    broker_transport_options={
        "visibility_timeout": 6,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    },
    broker_connection_retry_on_startup=True,
)
KINDS = {name: app.task(name=name)(function) for name, function in work.KINDS.items()}


def main(kind: str, count: str) -> None:
    with app.producer_or_acquire() as producer:
        for arguments in work.calls(int(count)):
            KINDS[kind].apply_async(arguments, producer=producer)


if __name__ == "__main__":
    main(*sys.argv[1:])
