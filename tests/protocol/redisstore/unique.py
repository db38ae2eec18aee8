"""Unique jobs: what becomes of one that meets its equal."""

from __future__ import annotations

from jobqueue import delayed
from jobqueue.connection import client
from jobqueue.scripts import load
from jobqueue.store.unlocking import release_orphans
from tests.protocol.redisstore.delayed import LATER_MS, Delayed
from tests.protocol.redisstore.texts import candidate


class Unique(Delayed):
    def enqueue_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        key = self.key
        own = [key.sent(producer), key.queue(queue), key.queues, key.wake(queue), key.wake_any]
        args = [number, 60, queue, key.prefix, mode, *candidate(job)]
        to = [*own, key.unique, key.runs]
        (holder,) = self.write(lambda: load("enqueue_unique")(client(), to, args))
        return str(holder.decode())

    def delay_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        key, (digest, id, text) = self.key, candidate(job)
        to = [key.sent(producer), key.later, key.wake_scheduler, key.unique, key.runs]
        args = [number, 60, key.prefix, mode, 0, digest, id, LATER_MS, delayed.member(text, queue), text]
        (holder,) = self.write(lambda: load("delay_unique")(client(), to, args))
        self.put_in_order()
        return str(holder.decode())

    def release_orphans(self) -> None:
        for _ in release_orphans(young_too=True):
            pass
