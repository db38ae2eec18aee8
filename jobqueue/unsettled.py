"""The jobs of a worker between their claim and their settling, as its own memory and its page have them."""

from __future__ import annotations

import time
from collections import deque

from jobqueue.locks import lock_of
from jobqueue.payload import ID_FIELD, ID_PLACE
from jobqueue.recovery import Ending
from jobqueue.retrying import Later
from jobqueue.running import Place, Places
from jobqueue.sharedpage import Lane, SharedPage
from jobqueue.store.delivery import Claimed, Endings


class Unsettled:
    """Jobs that wait to begin, that run, and that have ended, but Redis was not told yet."""

    def __init__(self, page: SharedPage) -> None:
        self.batch: deque[Claimed] = deque()
        """Those that have not begun."""
        self.places = Places(page.lanes)
        """Where those run that have."""
        self.endings = Endings()
        """What the next settle tells Redis."""
        self._page = page
        self._first = self.places.all[0]
        """The only one, where a worker performs one job after another: looked at before the others."""

    def __bool__(self) -> bool:
        return bool(self.batch or self.places.busy or self.endings)

    def tokens(self) -> set[int]:
        """Return the tokens of all of them."""
        return {job.token for job in (*self.places.jobs, *self.batch)} | self.endings.tokens()

    def begin(self, lane: Lane, hold_at: float) -> Place:
        """Let the first of the batch begin in a lane; return its place."""
        place = self.places.all[lane.number]
        place.job, place.hold_at = self.batch.popleft(), hold_at
        return place

    def give_back(self) -> None:
        """Let those go that have not begun; Redis is told with the next settle that reaches it."""
        self.endings.back.extend(job.token for job in self.batch)
        self.batch.clear()

    def done(self, job: Claimed) -> None:
        """Note that a job has ended well; nothing, if it does not run any more."""
        place = self._first if self._first.job is job else self.places.of(job)
        if place is None:
            return
        # Behind the id of a unique job stands its lock; behind that of most jobs, nothing
        if job.payload[ID_PLACE] != ID_FIELD:
            self._note_lock(job, "done")
        self.endings.done.append(job.token)
        self._page.finish(place.lane, job.token)
        place.clear()

    def end(self, job: Claimed, ending: Ending) -> None:
        """Note that a running job has not ended well, or goes back; it keeps its place until Redis knows.

        Those behind one that goes back wait behind it.
        """
        token, text = job.token, ending.text
        if ending.how == "later":
            self.endings.later.append((token, Later(text, ending.pause_ms)))
        elif ending.how != "back":
            failed = self.endings.killed if ending.how == "killed" else self.endings.failed
            failed.append((token, text))
        else:
            if text:
                self.endings.again.append((token, text))
            else:
                self.batch.appendleft(job)
            self.give_back()
        self._note_lock(job, ending.how, text or job.payload)

    def settled(self) -> None:
        """Forget what Redis was told of."""
        self.endings = Endings()
        self._page.forget_finished()
        self.places.hide(time.monotonic())

    def drop(self) -> None:
        """Forget everything: it is others' now."""
        self.batch.clear()
        self.places.clear()
        self.endings = Endings()

    def _note_lock(self, job: Claimed, how: str, text: bytes = b"") -> None:
        """Note what becomes of the lock of a unique job that leaves flight."""
        if lock := lock_of(job.payload):
            change = lock.digest, lock.id, lock.value_after(how, job.queue, text)
            self.endings.locks.append((job.token, *change))
