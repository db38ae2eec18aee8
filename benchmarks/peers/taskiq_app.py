"""The jobs of taskiq, on a list of Redis or on one of its streams."""

from __future__ import annotations

import asyncio
import os
import sys

from taskiq_redis import ListQueueBroker, RedisStreamBroker

from benchmarks.peers import work

if "BENCH_STREAM" in os.environ:
    broker = RedisStreamBroker(url=os.environ["REDIS_URL"], idle_timeout=6_000)
else:
    broker = ListQueueBroker(url=os.environ["REDIS_URL"])
KINDS = {name: broker.task(task_name=name)(function) for name, function in work.KINDS.items()}


async def main(kind: str, count: str) -> None:
    await broker.startup()
    for arguments in work.calls(int(count)):
        await KINDS[kind].kiq(*arguments)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
