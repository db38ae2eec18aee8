"""The real scripts on a real Redis behind the model's methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

from jobqueue import payload, recovery
from jobqueue.connection import keys
from jobqueue.exceptions import RunLost
from jobqueue.failure import Failure
from jobqueue.link import Link
from jobqueue.payload import Job
from jobqueue.scripts import load
from jobqueue.store import queues, runs
from jobqueue.store.delivery import Endings, Run
from tests.protocol.model import LIMIT, Claimed, Ending, Refused

KILLED = 9


def job_name(text: bytes) -> str:
    return payload.decode(text).name


class RedisStore:
    """One namespace; the client empties it."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.client.flushall()
        self.link = Link()
        self.runs: dict[str, Run] = {}
        self.key = keys()

    def close(self) -> None:
        self.link.close()

    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        key = self.key
        to = [key.sent(producer), key.queue(queue), key.queues, key.wake(queue), key.wake_any]
        load("enqueue")(self.client, to, [number, queue, 60, payload.encode(Job(job, []))])

    def register(self, run: str) -> None:
        self.runs[run] = Run(self.link, f"host:1:{run}")
        self.runs[run].register(0.0)

    def refused(self, run: str, step: str, *args: Any) -> Any:
        try:
            return getattr(self.runs[run], step)(*args)
        except RunLost:
            raise Refused from None

    def claim(self, run: str, first: int, most: int, queues: Sequence[str]) -> list[Claimed]:
        self.runs[run].next_token = first
        claimed = self.refused(run, "claim", queues, most, Endings())
        jobs = [(token, queue, payload.decode(text)) for token, queue, text in claimed]
        return [Claimed(token, queue, job.name, job.crashes) for token, queue, job in jobs]

    def settle(self, run: str, endings: Sequence[Ending]) -> None:
        told = Endings()
        for ending in sorted(endings, key=lambda each: each.token):
            if ending.how == "failed":
                told.failed.append((ending.token, self.entry(run, ending.token)))
            elif ending.how == "again":
                told.again.append((ending.token, self.crashed(run, ending.token)))
            else:
                getattr(told, ending.how).append(ending.token)
        self.refused(run, "settle", told)

    def entry(self, run: str, token: int) -> bytes:
        held = self.client.hget(self.key.inflight(self.runs[run].name), str(token))
        if held is None:
            return b"settled before"
        job = recovery._held(token, held)
        return recovery._entry(job, "host:1:x", "raised")

    def crashed(self, run: str, token: int) -> bytes:
        """Return the payload in flight with one more crash."""
        held = self.client.hget(self.key.inflight(self.runs[run].name), str(token))
        if held is None:
            return b"settled before"
        text = recovery._held(token, held).payload
        return payload.with_crashes(text, payload.decode(text).crashes + 1)

    def start(self, run: str, token: int) -> None:
        self.refused(run, "start", token, b"{}", Endings())

    def tokens(self, run: str) -> set[int]:
        if not self.client.zscore(self.key.runs, self.runs[run].name):
            raise Refused
        return self.runs[run].tokens()

    def recover(
        self, run: str, running: int | None, finished: Sequence[int], supervised: bool, retries: bool = False
    ) -> None:
        span = range(min(finished, default=0), max(finished, default=-1) + 1)
        policy = recovery.CrashPolicy(retries=retries, max_crashes=LIMIT)
        dead = recovery.DeadWorker(
            pid=1, status=KILLED, running=running or 0, finished=span, policy_of=lambda _: policy
        )
        judge = dead if supervised else recovery.SilentRun(lambda _: policy)
        runs.recover(self.link, self.runs[run].name, judge)

    def pause(self, queue: str) -> None:
        queues.pause(queue)

    def resume(self, queue: str) -> None:
        queues.resume(queue)

    def waiting(self, queue: str) -> list[str]:
        return [job_name(text) for text in self.client.lrange(self.key.queue(queue), 0, -1)]

    def in_flight(self) -> list[str]:
        names = [name.decode() for name in self.client.zrange(self.key.runs, 0, -1)]
        hashes = [self.client.hgetall(self.key.inflight(name)) for name in names]
        return [job_name(job.payload) for fields in hashes for job in recovery.parse_held(fields)[1]]

    def failed(self) -> list[str]:
        failures = [Failure.parse(raw) for raw in self.client.lrange(self.key.failed, 0, -1)]
        return [failure.job.name for failure in failures if failure.job]

    def counters(self) -> tuple[int, int]:
        processed, failed = self.client.mget(self.key.stat("processed"), self.key.stat("failed"))
        return int(processed or 0), int(failed or 0)

    def snapshot(self) -> object:
        return {key: (self.client.dump(key), self.client.pttl(key)) for key in self.client.keys("*")}

    def roll_back(self, snapshot: Any) -> None:
        self.client.flushall()
        for key, (dumped, ttl) in snapshot.items():
            self.client.restore(key, max(ttl, 0), dumped)
