"""Times as cron names them, in the grammar that resque-scheduler reads.

The library ``cronsim`` finds the times. Here stands what Ruby's cron has beside that: names such as
``@daily``, a time zone at the end, hour 24, ranges that wrap, and more ways to name days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from heapq import merge
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from jobqueue.cronfields import HOUR, MINUTE, MONTH, SECOND, Days, numbers
from jobqueue.exceptions import InvalidSchedule
from jobqueue.rubyjson import shown

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@noon": "0 12 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
LONGEST_TEXT = 1_000

_NEAR = timedelta(hours=3)
"""More than clocks are put forward or back nowadays."""
_MOST_YEARS = 50
"""What does not come for so long never comes; cronsim does not look farther either."""
_A_SECOND = timedelta(seconds=1)


class _Times(CronSim):
    """The times of one expression, after or before one moment, with the days as named here."""

    def __init__(self, fields: str, days: Days, moment: datetime, *, back: bool) -> None:
        super().__init__(fields, moment, reverse=back)
        self._days = days

    def match_day(self, d: date) -> bool:
        return self._days.has(d)


@dataclass(frozen=True, slots=True)
class Cron:
    """The times that one text names, in one time zone."""

    text: str
    zone: tzinfo
    _fields: str
    """As ``cronsim`` reads them, each day matching."""
    _days: Days
    _goes_by_clock: bool
    """Names times of the clock on the wall: one in an hour that is skipped does not come, in an hour that is
    repeated it comes once. Other times come in such a way that the same time passes between them."""

    @classmethod
    def parse(cls, text: str, zone: tzinfo = UTC) -> Cron:
        """Read a text, which may name another time zone than ``zone``. Raises InvalidSchedule."""
        try:
            return cls._parse(text, zone)
        except (InvalidSchedule, CronSimError) as error:
            raise InvalidSchedule(
                f"cron {shown(text)} cannot be read: {error}. It has five fields, minute, hour, day, month "
                "and weekday, or six with seconds first, and may end with a time zone, as in "
                "'0 8 * * mon Europe/Berlin'"
            ) from error

    @classmethod
    def _parse(cls, text: str, zone: tzinfo) -> Cron:
        if len(text) > LONGEST_TEXT:
            raise InvalidSchedule("it is too long")
        if text != text.strip():
            raise InvalidSchedule("it has blanks at its ends")
        words = text.split()
        if words and (found := _zone(words[-1])):
            zone = found
            words.pop()
        if len(words) == 1:
            words = NICKNAMES.get(words[0].lower(), words[0]).split()
        if len(words) == 5:
            words.insert(0, "0")
        if len(words) != 6:
            raise InvalidSchedule(f"it has {len(words)} fields")
        second, minute, hour, day, month, weekday = (word.lower() for word in words)
        times = [numbers(SECOND, second), numbers(MINUTE, minute), numbers(HOUR, hour)]
        cron = cls(
            text,
            zone,
            f"{' '.join(times)} * {numbers(MONTH, month)} *",
            Days.read(day, weekday),
            not any(word.startswith("*") for word in (second, minute, hour)),
        )
        if next(cron._walk(datetime(2020, 1, 1, tzinfo=UTC)), None) is None:
            raise InvalidSchedule("it names a time that never comes")
        return cron

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, in UTC; None if the calendar ends before."""
        return next(self._walk(moment), None)

    def until(self, moment: datetime) -> datetime | None:
        """Return the last time that is not after a moment, in UTC; None if the calendar begins after."""
        return next(self._walk(moment.replace(microsecond=0) + _A_SECOND, back=True), None)

    def _walk(self, moment: datetime, *, back: bool = False) -> Iterator[datetime]:
        """Yield the times after a moment, or those before it, the next one first."""
        folds = (0,) if self._goes_by_clock else (0, 1)
        last = None
        for time in merge(*(self._meant(moment, fold, back) for fold in folds), reverse=back):
            if (time < moment if back else time > moment) and time != last:
                yield time
                last = time

    def _meant(self, moment: datetime, fold: int, back: bool) -> Iterator[datetime]:
        """Yield the moments at which the clock on the wall shows the times, for the first time or the second.

        Begins with some on the other side of ``moment`` where the clock is put back.
        """
        # By the clock alone: in a zone cronsim goes in whole hours, and a clock may be put by half an hour
        for wall in _Times(self._fields, self._days, self._start(moment, back), back=back):
            time = wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)
            is_skipped = self._shown(time) != wall
            if not is_skipped:
                yield time
            elif abs(wall.year - moment.year) > _MOST_YEARS:
                # It may name nothing but what is skipped each year
                return

    def _start(self, moment: datetime, back: bool) -> datetime:
        """Return what the clock shows at a moment; less by as much as it is going to be put back soon.

        On the way back more, if it has just been put back.
        """
        way = -1 if back else 1
        shown, later = self._shown(moment), self._shown(moment + way * _NEAR)
        put_back = max(_NEAR - abs(later - shown), timedelta())
        is_near = abs(self._shown(moment + way * put_back) - shown) < put_back
        return shown - way * put_back if is_near else shown

    def _shown(self, moment: datetime) -> datetime:
        """Return what the clock on the wall shows."""
        return moment.astimezone(self.zone).replace(tzinfo=None)


def _zone(word: str) -> tzinfo | None:
    """Return the time zone that a word names; None if it names none."""
    if re.fullmatch(r"[+-]\d\d:?\d\d", word, re.ASCII):
        try:
            return datetime.strptime(word, "%z").tzinfo
        except ValueError:
            raise InvalidSchedule(f"there is no time zone {word!r}") from None
    if not re.fullmatch(r"[A-Z][\w+-]+(/[A-Z][\w+-]+){0,2}", word, re.ASCII):
        return None
    try:
        return ZoneInfo(word)
    except (LookupError, OSError, ValueError):
        if "/" not in word:
            return None
        raise InvalidSchedule(f"there is no time zone {word!r}") from None
