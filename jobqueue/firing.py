"""Fire recurring jobs: a duty of schedulers, of which any number may run.

Redis knows up to which tick each entry is dealt with, so each tick is dealt with once.
"""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from redis.exceptions import ResponseError

from jobqueue import databases, schedule, timing
from jobqueue.conf import environment
from jobqueue.inspection.schedule import Fired, State
from jobqueue.link import UNREACHABLE, Link
from jobqueue.recurring import BadEntry, Recurring
from jobqueue.schedule import Entry
from jobqueue.store import schedule as store
from jobqueue.store.schedule import Made
from jobqueue.timing import Timing
from jobqueue.trouble import is_closed

LATE_SECONDS = 60
"""A tick that is dealt with so late was missed: no scheduler lived, or Redis was away."""
LOOK_SECONDS = 1.0
"""So often a scheduler that is woken for other things looks whether the schedule has changed."""
PASSES = Made("", b"")

_log = logging.getLogger("jobqueue")


class Due(NamedTuple):
    """The tick of an entry that is to be dealt with, and whether it enqueues a job."""

    fired: Fired
    is_run: bool


class Upcoming(NamedTuple):
    """When an entry comes next, while it and what Redis knows of it stay as they were."""

    entry: Recurring
    fired: Fired
    moment_ms: int | None


class Firing:
    """Enqueues the jobs of the schedule's entries when they are due."""

    def __init__(self) -> None:
        self._static: dict[str, Entry] | None = None
        self._dynamic: dict[str, tuple[bytes, Entry]] = {}
        self._upcoming: dict[str, Upcoming] = {}
        self._next_ms: int | None = None
        self._looked_at = 0.0
        """In seconds of ``time.monotonic``."""
        self._complaints: set[str] = set()

    def __call__(self, link: Link, now_ms: int) -> int | None:
        """Fire what is due; return when to come again. May be called again after any of redis-py's errors."""
        looked = time.monotonic()
        is_due = self._next_ms is not None and self._next_ms <= now_ms
        if not is_due and looked < self._looked_at + LOOK_SECONDS:
            return self._soonest(now_ms + round(LOOK_SECONDS * 1000))
        if self._static is None:
            self._static = self._loaded(link)
        state = store.state(link)
        for complaint in state.complaints:
            self._complain(complaint)
        found = [self._next(link, entry, state, now_ms) for entry in self._entries(state)]
        self._upcoming = {each.entry.name: each for each in found if each}
        moments = (each.moment_ms for each in self._upcoming.values())
        self._next_ms = min((moment for moment in moments if moment is not None), default=None)
        self._looked_at = looked
        return self._next_ms

    def _soonest(self, moment_ms: int) -> int:
        return moment_ms if self._next_ms is None else min(moment_ms, self._next_ms)

    def _loaded(self, link: Link) -> dict[str, Entry]:
        """Return the entries of this site; those that ask for it are stored in Redis too."""
        entries = schedule.static()
        here = environment()
        for entry in entries.values():
            if isinstance(entry, Recurring) and entry.persist and entry.is_in(here):
                self._keep(link, entry)
        return entries

    def _keep(self, link: Link, entry: Recurring) -> None:
        try:
            store.keep(link, entry.name, schedule.stored(entry))
        except ResponseError as error:
            if is_closed(error):
                raise
            self._complain(f"the entry {entry.name!r} of the schedule cannot be stored in Redis: {error}")

    def _entries(self, state: State) -> list[Recurring]:
        """Return the entries that count here; each of the others is told of once."""
        texts = state.persistent
        new = {name: text for name, text in texts.items() if self._dynamic.get(name, (b"",))[0] != text}
        read = {name: (texts[name], entry) for name, entry in schedule.dynamic(new).items()}
        self._dynamic = {name: read.get(name) or self._dynamic[name] for name in texts}
        entries = {**(self._static or {}), **{name: entry for name, (_, entry) in self._dynamic.items()}}
        for entry in entries.values():
            if isinstance(entry, BadEntry):
                self._complain(f"the entry {entry.name!r} of the schedule cannot be used: {entry.problem}")
        here = environment()
        return [entry for entry in entries.values() if isinstance(entry, Recurring) and entry.is_in(here)]

    def _next(self, link: Link, entry: Recurring, state: State, now_ms: int) -> Upcoming | None:
        """Deal with an entry's tick, if there is one; tell when the next comes, None if nobody knows."""
        if entry.timing is None:
            return None
        known, fired = self._upcoming.get(entry.name), state.fired.get(entry.name)
        is_same = known is not None and known.entry is entry and known.fired == fired
        if known and is_same and (known.moment_ms is None or known.moment_ms > now_ms):
            return known
        try:
            fired = self._dealt_with(link, entry, entry.timing, state, now_ms)
            moment_ms = next(iter(timing.following(entry.timing, fired.tick_ms, now_ms)), None)
            return Upcoming(entry, fired, moment_ms)
        except ResponseError as error:
            if is_closed(error):
                raise
            # A queue of another type, say, or a full memory; the other entries go on, this one is tried again
            self._complain(f"the recurring job {entry.name!r} cannot be enqueued: {error}")
        except UNREACHABLE:
            raise
        except Exception as error:
            self._complain(f"the times of the recurring job {entry.name!r} cannot be found: {error!r}")
        return None

    def _dealt_with(self, link: Link, entry: Recurring, when: Timing, state: State, now_ms: int) -> Fired:
        """Deal with an entry's tick, if there is one; return the last one that is dealt with."""
        fired = state.fired.get(entry.name)
        if fired is None:
            # From where another scheduler has begun, or a tick of its own would come beside that one's
            fired = store.begin(link, entry.name, Fired(when.begin(now_ms), when.text))
        due = due_tick(entry, when, fired, now_ms)
        if due is None:
            return fired
        made = self._made(entry) if due.is_run else PASSES
        config = state.persistent.get(entry.name, b"")
        if store.fire(link, entry.name, due.fired, made, now_ms=now_ms, config=config):
            _log.info("enqueued the recurring job entry=%s queue=%s", entry.name, made.queue)
        return due.fired

    def _made(self, entry: Recurring) -> Made:
        # Of the site's own code unique_by runs, which may ask a database that was away since
        outer = databases.before_job()
        try:
            return schedule.make(entry)
        except Exception as error:
            self._complain(f"the recurring job {entry.name!r} cannot be made: {error!r}")
            return PASSES
        finally:
            databases.after_job(outer)

    def _complain(self, complaint: str) -> None:
        if complaint not in self._complaints:
            self._complaints.add(complaint)
            _log.error("%s", complaint)


def due_tick(entry: Recurring, when: Timing, fired: Fired, now_ms: int) -> Due | None:
    """Return the latest tick of an entry that is not dealt with; those before it pass with it.

    One that was missed enqueues a job if the entry wants that, and its times are still the same.
    """
    tick = when.last(fired.tick_ms, now_ms)
    if tick is None:
        return None
    is_in_time = now_ms - tick <= LATE_SECONDS * 1000
    is_made_up = entry.missed == "run-once" and fired.timing == when.text
    return Due(Fired(tick, when.text), is_in_time or is_made_up)
