"""When a recurring job comes: at the times of a cron text, or every so often. Moments are in ms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any

from jobqueue import durations
from jobqueue.cron import Cron
from jobqueue.exceptions import InvalidSchedule
from jobqueue.rubyjson import shown

MEANINGLESS_OPTIONS = frozenset(
    {"allow_overlapping", "blocking", "discard_past", "mutex", "name", "overlap", "tag", "tags", "timeout"}
)
"""What Ruby's scheduler takes beside a time, and what says nothing where a job is only enqueued."""


@dataclass(frozen=True, slots=True)
class CronTiming:
    """At the times of a cron text."""

    cron: Cron

    @property
    def text(self) -> str:
        return self.cron.text

    def begin(self, now_ms: int) -> int:
        """Return after which moment the ticks of an entry come that is new now."""
        return now_ms

    def last(self, base_ms: int, now_ms: int) -> int | None:
        """Return the latest tick until now, after ``base_ms``; None if there was none."""
        time = self.cron.until(_moment(now_ms))
        tick = None if time is None else _ms(time)
        return tick if tick is not None and tick > base_ms else None

    def ticks(self, base_ms: int, now_ms: int) -> Iterator[int]:
        """Yield the ticks that come after now."""
        time = _moment(now_ms)
        while time := self.cron.after(time):  # type: ignore[assignment]  # None ends it
            yield _ms(time)


@dataclass(frozen=True, slots=True)
class EveryTiming:
    """So many ms after the last tick."""

    text: str
    every_ms: int
    first_in_ms: int

    def begin(self, now_ms: int) -> int:
        """Return after which moment the ticks of an entry come that is new now."""
        return now_ms + self.first_in_ms - self.every_ms

    def last(self, base_ms: int, now_ms: int) -> int | None:
        """Return the latest tick until now, after ``base_ms``; None if there was none."""
        passed = (now_ms - base_ms) // self.every_ms
        return base_ms + passed * self.every_ms if passed > 0 else None

    def ticks(self, base_ms: int, now_ms: int) -> Iterator[int]:
        """Yield the ticks that come after now."""
        tick = self.last(base_ms, now_ms) or base_ms
        while True:
            tick += self.every_ms
            yield tick


Timing = CronTiming | EveryTiming


def following(timing: Timing, base_ms: int, now_ms: int, count: int = 1) -> list[int]:
    """Return the next ticks after now."""
    return list(islice(timing.ticks(base_ms, now_ms), count))


def read(config: Mapping[str, Any], zone: tzinfo) -> Timing | None:
    """Return when an entry of the schedule comes; None if only by hand. Raises InvalidSchedule."""
    if config.get("cron"):
        text, _ = _with_options("cron", config["cron"])
        if not isinstance(text, str):
            raise InvalidSchedule(f"cron: {shown(text)} should be a text, such as '0 8 * * *'")
        return CronTiming(Cron.parse(text, zone))
    if config.get("every") is not None:
        return _every(*_with_options("every", config["every"]))
    return None


def _every(duration: Any, options: Mapping[str, Any]) -> EveryTiming:
    every_ms = _as_ms("every", duration)
    if every_ms < 1:
        raise InvalidSchedule(f"every: {shown(duration)} should be longer than no time")
    first_in = options.get("first_in")
    return EveryTiming(
        f"every {durations.text(duration)}",
        every_ms,
        every_ms if first_in is None else _as_ms("first_in", first_in),
    )


def _as_ms(what: str, duration: Any) -> int:
    try:
        return round(durations.seconds(duration) * 1000)
    except InvalidSchedule as error:
        raise InvalidSchedule(f"{what}: {error}") from error


def _with_options(what: str, value: Any) -> tuple[Any, Mapping[str, Any]]:
    """Part ``[text, {options}]``, resque-scheduler's other form, in which names may begin with a colon."""
    if not isinstance(value, list | tuple):
        return value, {}
    if not value or len(value) > 2 or not all(isinstance(each, Mapping) for each in value[1:]):
        raise InvalidSchedule(f"{what}: {shown(value)} should be a text, or a list of a text and its options")
    options = {str(name).lstrip(":"): option for each in value[1:] for name, option in each.items()}
    for name in options.keys() - MEANINGLESS_OPTIONS - ({"first_in"} if what == "every" else set()):
        raise InvalidSchedule(f"{what}: the option {shown(name)} is not known here; leave it out")
    return value[0], options


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)
