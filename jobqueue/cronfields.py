"""The fields of a cron text: what may stand in each, and which days it means."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from jobqueue.exceptions import InvalidSchedule

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
FIRST_WEEK = date(2019, 1, 1)
"""From here on Ruby numbers weeks, the first one is 1, for ``mon%2``."""


class Field(NamedTuple):
    """What may stand in one of cron's fields."""

    what: str
    least: int
    most: int
    names: list[str] = []

    def number(self, word: str) -> int:
        """Return the value that a word means; raise InvalidSchedule for none."""
        if word in self.names:
            return self.names.index(word) + self.least
        if not re.fullmatch(r"\d\d?", word, re.ASCII) or not self.least <= int(word) <= self.most:
            raise InvalidSchedule(f"{word!r} is no {self.what}, which goes from {self.least} to {self.most}")
        return int(word)

    def span(self, word: str) -> list[int]:
        """Return what a term means: ``*``, a value, or a range, which may wrap; with a step or without."""
        body, slash, step = word.partition("/")
        if slash and not re.fullmatch(r"0?[1-9]|[1-9]\d", step, re.ASCII):
            raise InvalidSchedule(f"{step!r} is no step, which goes from 1 to 99")
        first, hyphen, last = body.partition("-")
        if body == "*":
            numbers = list(range(self.least, self.end + 1))
        elif hyphen:
            numbers = self.range(self.number(first), self.number(last))
        else:
            numbers = list(range(self.number(first), (self.end if slash else self.number(first)) + 1))
        return numbers[:: int(step or 1)]

    @property
    def end(self) -> int:
        """Return the last value that has no other name: hour 24 is 0, weekday 7 is 0."""
        return {24: 23, 7: 6}.get(self.most, self.most)

    def range(self, first: int, last: int) -> list[int]:
        if first <= last:
            return list(range(first, last + 1))
        return [*range(first, self.end + 1), *range(self.least, last + 1)]


SECOND, MINUTE, HOUR = Field("second", 0, 59), Field("minute", 0, 59), Field("hour", 0, 24)
DAY, MONTH = Field("day of the month", 1, 31), Field("month", 1, 12, MONTHS)
WEEKDAY = Field("weekday", 0, 7, WEEKDAYS)


class _Weekday(NamedTuple):
    """A weekday, 0 for Sunday: each one, or the nth of a month, or of some weeks."""

    number: int
    nth: int = 0
    """From the month's end if negative."""
    modulo: int = 1
    rest: int = 0

    def is_on(self, day: date) -> bool:
        if day.isoweekday() % 7 != self.number:
            return False
        week = (day - FIRST_WEEK).days // 7 + 1
        return self.nth in (0, *_place_in_month(day)) and week % self.modulo == self.rest % self.modulo


def _place_in_month(day: date) -> tuple[int, int]:
    """Return which weekday of its kind a day is in its month, from the beginning and from the end."""
    return (day.day + 6) // 7, -((monthrange(day.year, day.month)[1] - day.day) // 7 + 1)


@dataclass(frozen=True, slots=True)
class Days:
    """On which days: those of the month or of the week, either if both are named; all if none is."""

    days: frozenset[int] | None
    """From the month's end if negative."""
    weekdays: tuple[_Weekday, ...] | None

    @classmethod
    def read(cls, days: str, weekdays: str) -> Days:
        """Read both fields; raise InvalidSchedule."""
        return cls(_days(days), _weekdays(weekdays))

    def has(self, day: date) -> bool:
        if self.days is None and self.weekdays is None:
            return True
        from_end = day.day - monthrange(day.year, day.month)[1] - 1
        return bool(self.days and (day.day in self.days or from_end in self.days)) or any(
            weekday.is_on(day) for weekday in self.weekdays or ()
        )


def numbers(field: Field, text: str) -> str:
    """Return a field as ``cronsim`` reads it."""
    if text == "*":
        return text
    found = {number for word in text.split(",") for number in field.span(word)}
    return ",".join(str(0 if number > field.end else number) for number in sorted(found))


def _days(text: str) -> frozenset[int] | None:
    if text == "*":
        return None
    return frozenset(number for word in text.split(",") for number in _day_span(word))


def _day_span(word: str) -> list[int]:
    """Return the days that a term means; ``L``, ``-1`` and the like count from the month's end."""
    from_end = re.fullmatch(r"(?:l|last|-([1-9]|[12]\d|3[01]))(?:-(?:(l|last)|-([1-9]|[12]\d|3[01])))?", word)
    if not from_end:
        return DAY.span(word)
    first, is_to_end, last = -int(from_end[1] or 1), from_end[2], from_end[3]
    end = -1 if is_to_end else -int(last) if last else first
    if end < first:
        raise InvalidSchedule(f"the range {word!r} goes backwards")
    return list(range(first, end + 1))


def _weekdays(text: str) -> tuple[_Weekday, ...] | None:
    if text == "*":
        return None
    return tuple(weekday for word in text.split(",") for weekday in _weekday_terms(word))


def _weekday_terms(word: str) -> list[_Weekday]:
    """Return the weekdays that a term means: ``mon``, ``1-5``, ``mon#2``, ``fri#-1``, ``mon%2``."""
    if found := re.fullmatch(r"(\w+)#(-?[1-5]|l|last)", word, re.ASCII):
        nth = -1 if found[2].startswith("l") else int(found[2])
        return [_Weekday(WEEKDAY.number(found[1]) % 7, nth=nth)]
    if found := re.fullmatch(r"(\w+)%([1-9]\d*)(?:\+(\d+))?", word, re.ASCII):
        return [_Weekday(WEEKDAY.number(found[1]) % 7, modulo=int(found[2]), rest=int(found[3] or 0))]
    return [_Weekday(number % 7) for number in WEEKDAY.span(word)]
