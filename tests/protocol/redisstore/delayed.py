"""Jobs that wait for their moments."""

from __future__ import annotations

from collections.abc import Sequence

from jobqueue import delayed, payload
from jobqueue.connection import client
from jobqueue.inspection.delayed import DelayedJob
from jobqueue.payload import Job
from jobqueue.scripts import load
from jobqueue.store import delayed as removal
from jobqueue.store import promotion
from tests.protocol.redisstore.state import State
from tests.protocol.redisstore.texts import parse_delayed

LATER_MS = 1_000_000_000
"""Before now, and after all the moments that the tests give to delayed jobs."""
MOVE = 'redis.call("ZREM", KEYS[1], ARGV[2]) redis.call("ZADD", KEYS[1], ARGV[1], ARGV[2])'


class Delayed(State):
    def delay(self, queue: str, job: str, producer: str, number: int) -> None:
        key, member = self.key, delayed.member(payload.encode(Job(job, [])), queue)
        to = [key.sent(producer), key.later, key.wake_scheduler]
        self.write(lambda: load("delay")(client(), to, [number, 60, LATER_MS, member]))
        self.put_in_order()

    def put_in_order(self) -> None:
        """Let delayed jobs be due in the order in which they came."""
        for member in self.client.zrangebyscore(self.key.later, LATER_MS, "+inf"):
            self.moments += 1
            self.client.eval(MOVE, 1, self.key.later, self.moments, member)

    def promote(self, most: int) -> None:
        promotion.promote(self.link, LATER_MS, most)

    def remove_delayed(self, jobs: Sequence[str]) -> int:
        members = self.client.zrange(self.key.later, 0, -1)
        named = [each for each in members if parse_delayed(each)[1] in jobs]
        return removal.remove(DelayedJob(raw=each, moment_ms=0) for each in named)
