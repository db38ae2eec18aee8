"""The jobs of Huey."""

from __future__ import annotations

import os
import sys

from huey import RedisHuey

from benchmarks.peers import work

huey = RedisHuey("bench", url=os.environ["REDIS_URL"], results=False)
KINDS = {name: huey.task(name=name)(function) for name, function in work.KINDS.items()}


def main(kind: str, count: str) -> None:
    for arguments in work.calls(int(count)):
        KINDS[kind](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
