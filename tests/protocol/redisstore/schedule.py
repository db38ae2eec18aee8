"""Recurring jobs, each of which has its ticks."""

from __future__ import annotations

from functools import partial

from jobqueue import payload
from jobqueue.inspection.schedule import Fired
from jobqueue.payload import Job
from jobqueue.store import schedule
from jobqueue.store.schedule import Made
from tests.protocol.redisstore.state import State
from tests.protocol.redisstore.texts import candidate
from tests.protocol.store import equals


class Schedule(State):
    def begin_entry(self, entry: str, tick: int) -> None:
        self.write(lambda: schedule.begin(self.link, entry, Fired(tick, "every 1ms")))

    def remove_entry(self, entry: str) -> None:
        schedule.remove(entry)

    def fire(self, entry: str, tick: int, queue: str, job: str) -> bool:
        fired, made = Fired(tick, "every 1ms"), Made(queue, payload.encode(Job(job, [])))
        if equals(job):
            digest, id, text = candidate(job)
            made = Made(queue, text, id, digest)
        fire = partial(schedule.fire, self.link, entry, fired, made, now_ms=0, config=b"")
        return bool(self.write(fire))

    def pause_entry(self, entry: str) -> None:
        self.write(lambda: schedule.pause([entry]))

    def resume_entry(self, entry: str) -> None:
        schedule.resume([entry])
