"""Bare jobs that wait for their times in resque-scheduler's keys, while Ruby may be the master."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from jobqueue import delayed, payload
from jobqueue.connection import client
from jobqueue.inspection.delayed import DelayedJob
from jobqueue.link import Call, Link
from jobqueue.masterlock import master_lock
from jobqueue.payload import Job
from jobqueue.scripts import load
from jobqueue.store import delayed as waiting
from jobqueue.store import promotion
from tests.protocol.redisstore.state import State
from tests.protocol.store import Meanwhile, Named


class Overtaken(Link):
    """A scheduler's connection on which something happens between its look and its script."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def run(self, *calls: Call) -> list[Any]:
        self.meanwhile()
        return super().run(*calls)


def text_of(queue: str, job: str) -> bytes:
    """Return the text of a bare job, which has no id: of those that are equal there are several."""
    return delayed.bare(payload.encode(Job(job, [])), queue)


def read(named: Sequence[Named]) -> Iterator[DelayedJob]:
    """Yield jobs as a page has read them."""
    for time, (queue, job, *_) in named:
        yield DelayedJob(raw=text_of(queue, job), moment_ms=time * 1000, is_bare=True, time=str(time))


class Bare(State):
    def delay_bare(self, queue: str, job: str, times: Sequence[int], producer: str, number: int) -> None:
        key, text = self.key, text_of(queue, job)
        to = [key.sent(producer), key.delayed_times, key.wake_scheduler, key.delayed(""), key.timestamps("")]
        pairs = [part for time in times for part in (time, text)]
        self.write(lambda: load("delay_bare")(client(), to, [number, 60, *pairs]))

    def take_master_lock(self) -> None:
        self.write(lambda: self.client.set(master_lock(self.key), "ruby:1", ex=180, nx=True))

    def release_master_lock(self) -> None:
        self.client.delete(master_lock(self.key))

    def promote_bare(self, until: int, most: int, meanwhile: Meanwhile | None) -> int:
        def another() -> int:
            return promotion.promote_bare(self.link, until * 1000, most).promoted

        if meanwhile is None:
            return another()
        overtaking = self.take_master_lock if meanwhile == "Ruby takes the lock" else another
        with closing(Overtaken(overtaking)) as link:
            return promotion.promote_bare(link, until * 1000, most).promoted

    def enqueue_bare_now(self, named: Sequence[Named]) -> int:
        return waiting.enqueue_now(read(named))

    def remove_bare(self, named: Sequence[Named]) -> int:
        return waiting.remove(read(named))

    def move_bare(self, named: Sequence[Named], to: int) -> int:
        return waiting.move(read(named), to * 1000)
