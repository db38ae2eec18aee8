"""Jobs that wait in queues: what producers push there, and operators pause and remove."""

from __future__ import annotations

from collections.abc import Sequence

from jobqueue import payload
from jobqueue.connection import client
from jobqueue.payload import Job
from jobqueue.scripts import load
from jobqueue.store import queues
from tests.protocol.redisstore.state import State
from tests.protocol.redisstore.texts import parse


class Queues(State):
    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        key = self.key
        to = [key.sent(producer), key.queue(queue), key.queues, key.wake(queue), key.wake_any]
        self.write(lambda: load("enqueue")(client(), to, [number, 60, queue, payload.encode(Job(job, []))]))

    def pause(self, queue: str) -> None:
        self.write(lambda: queues.pause(queue))

    def resume(self, queue: str) -> None:
        queues.resume(queue)

    def pause_all(self) -> None:
        self.write(lambda: self.client.set(self.key.pause_all, "true"))

    def resume_all(self) -> None:
        self.client.delete(self.key.pause_all)

    def remove_jobs(self, queue: str, jobs: Sequence[str]) -> int:
        texts = self.client.lrange(self.key.queue(queue), 0, -1)
        return queues.remove_jobs(
            queue, [text for text in texts if parse(text)[:3] in [(job, 0, 0) for job in jobs]]
        )

    def remove_queue(self, queue: str) -> None:
        queues.remove_queue(queue)

    def take_away(self, queue: str) -> None:
        self.client.delete(self.key.queue(queue))
