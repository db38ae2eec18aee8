"""The schedule as people see it: each entry with its last and its next ticks, usable or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jobqueue import recurring, schedule, timing
from jobqueue.conf import environment
from jobqueue.inspection import schedule as inspection
from jobqueue.inspection.jobs import SeenJob, seen
from jobqueue.inspection.schedule import State
from jobqueue.recurring import BadEntry, Recurring
from jobqueue.schedule import Entry

NEXT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry of the schedule, and what becomes of it."""

    name: str
    entry: Recurring | None
    """None for one that cannot be used."""
    problem: str
    source: recurring.Source
    queue: str
    job: SeenJob | None
    is_here: bool
    """It counts in this site's environment."""
    is_paused: bool
    is_fired_by_ruby: bool
    is_persistent: bool
    """It stands in Redis, and can be removed."""
    is_of_site: bool
    """One of its name stands in the site's code, file or settings."""
    last: datetime | None
    """When it last enqueued a job by itself."""
    next: list[datetime]
    """When its ticks come next, the soonest first; empty if never."""

    @property
    def when(self) -> str:
        """Its times, as they were given."""
        if self.entry is None or self.entry.timing is None:
            return ""
        return self.entry.timing.text

    @property
    def is_silent(self) -> bool:
        """It would come by itself, but its ticks pass; Ruby's schedulers know no pauses."""
        return self.is_paused and bool(self.when) and not self.is_fired_by_ruby

    @property
    def said_of_removal(self) -> str:
        """What a person is told who removes it."""
        if self.is_of_site:
            return "was removed from Redis; the entry of this name in the site's own schedule counts again."
        return "was removed from the schedule."

    @property
    def said_of_pause(self) -> str:
        """What a person is told who pauses it."""
        if self.is_fired_by_ruby:
            return "is paused, but the scheduler of Ruby that is the master now fires it all the same."
        return "is paused: its ticks pass."


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """All entries of the schedule, at one moment; of thousands only those that are asked for are read."""

    names: list[str]
    """Of all entries, in order."""
    static: Mapping[str, Entry]
    """Those that do not stand in Redis."""
    state: State
    now: datetime

    @property
    def environment(self) -> str:
        """The environment in which entries count here."""
        return environment()

    @property
    def master(self) -> str | None:
        """The scheduler of Ruby that is the master now."""
        return self.state.master

    @property
    def complaints(self) -> Sequence[str]:
        """What in Redis cannot be read."""
        return self.state.complaints

    def rows(self, start: int = 0, stop: int | None = None) -> list[Row]:
        """Return some entries, in the order of their names, each with its next tick."""
        return [self._row(name, 1) for name in self.names[start:stop]]

    def get(self, name: str) -> Row | None:
        """Return one entry with its next five ticks; None if there is none of this name."""
        return self._row(name, NEXT) if name in self.names else None

    def _row(self, name: str, following: int) -> Row:
        text = self.state.persistent.get(name)
        found = self.static[name] if text is None else schedule.dynamic({name: text})[name]
        return _row(found, self.state, self.now, following, is_of_site=name in self.static)


def read() -> Timetable:
    """Return the schedule as it is now. Raises RedisUnreachable."""
    state, now = inspection.state()
    static = schedule.static()
    return Timetable(names=sorted({*static, *state.persistent}), static=static, state=state, now=now)


def _row(found: Entry, state: State, now: datetime, following: int, *, is_of_site: bool) -> Row:
    name, entry = found.name, found if isinstance(found, Recurring) else None
    is_here = entry is not None and entry.is_in(environment())
    return Row(
        name=name,
        entry=entry,
        problem=found.problem if isinstance(found, BadEntry) else "",
        source=found.source,
        queue=schedule.queue_of(entry) if entry else "",
        job=seen(schedule.job_of(entry)) if entry else None,
        is_here=is_here,
        is_paused=name in state.paused,
        is_fired_by_ruby=name in state.persistent and state.master is not None,
        is_persistent=name in state.persistent,
        is_of_site=is_of_site,
        last=state.last_enqueued.get(name),
        next=_next(entry, state, now, following) if entry and is_here else [],
    )


def _next(entry: Recurring, state: State, now: datetime, following: int) -> list[datetime]:
    if entry.timing is None:
        return []
    now_ms = round(now.timestamp() * 1000)
    fired = state.fired.get(entry.name)
    base_ms = fired.tick_ms if fired else entry.timing.begin(now_ms)
    ticks = timing.following(entry.timing, base_ms, now_ms, following)
    return [datetime.fromtimestamp(tick / 1000, UTC) for tick in ticks]
