"""The jobs of Dramatiq."""

from __future__ import annotations

import os
import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers import work

broker = RedisBroker(url=os.environ["REDIS_URL"], heartbeat_timeout=6_000)
dramatiq.set_broker(broker)
KINDS = {name: dramatiq.actor(actor_name=name)(function) for name, function in work.KINDS.items()}


def main(kind: str, count: str) -> None:
    for arguments in work.calls(int(count)):
        KINDS[kind].send(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
