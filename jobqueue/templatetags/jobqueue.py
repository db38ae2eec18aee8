"""Filters of the dashboard: times, numbers and values as a person reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from jobqueue.inspection import moments
from jobqueue.inspection.jobs import SeenJob
from jobqueue.inspection.workers import Moment

register = template.Library()

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
OUTSIDE = re.compile(r"site-packages/|dist-packages/|/lib/python\d|/gems/|<frozen |<internal:|/lib/ruby/")
NO_QUANTITY = re.compile(r"sha1|_id$|_time$|_usec$|port$|clock$")
"""Redis's figures whose digits are no amount of anything."""
SIZES = ("kB", "MB", "GB", "TB")
PATTERN_SIGNS = frozenset("*?[]{}!")
CALL_CHARACTERS = 1_000
PRETTY_CHARACTERS = 20_000
LONGEST_LINKED = 1_000
"""No server takes an address that holds a longer name."""


@register.filter
def moment(value: Moment | datetime | str | None) -> str:
    """Show a time as "3 minutes ago", in full in its title; one that cannot be read as it stands."""
    if isinstance(value, str):
        value = Moment(text=value, at=moments.parse(value))
    text, at = (value.text, value.at) if isinstance(value, Moment) else ("", value)
    if at is None:
        return text
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exactly(at), age(at))


@register.filter
def exactly(at: datetime) -> str:
    """Show a moment in the current time zone, to the second."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def age(at: datetime) -> str:
    """Say how long ago a moment is, in one unit."""
    seconds = int((timezone.now() - at).total_seconds())
    if abs(seconds) < 2:
        return "just now"
    return f"in {lasting(-seconds)}" if seconds < 0 else f"{lasting(seconds)} ago"


@register.filter
def lasting(seconds: int) -> str:
    """Show a time span in its largest unit: ``90`` is "1 minute"."""
    unit, name = next((pair for pair in UNITS if seconds >= pair[0]), UNITS[-1])
    count = seconds // unit
    return f"{count:,} {name}{'' if count == 1 else 's'}"


@register.filter
def thousands(number: int | None) -> str:
    """Show a whole number in groups of three digits; nothing for None."""
    return "" if number is None else f"{number:,}"


@register.filter
def size_in_bytes(count: int) -> str:
    """Show a size: ``1536`` is "1.5 kB"."""
    if count < 1_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    power = min((len(str(count)) - 1) // 3, len(SIZES))
    return f"{count / 1_000**power:,.1f} {SIZES[power - 1]}"


@register.filter
def cut(text: str, length: int) -> str:
    """Show the beginning of a long text."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


@register.filter
def readable(value: bytes, length: int | None = None) -> str:
    r"""Show bytes, or so many of them, as text; those that are no UTF-8 as ``\xff``."""
    text = value[:length].decode("utf-8", "backslashreplace")
    return text if length is None or len(value) <= length else f"{text}…"


@register.filter
def arguments(job: SeenJob) -> str:
    """Show a job's arguments as in a call: ``"person@example.com", 3, urgent=true``."""
    shown = chain(
        ((", ", *_json(value)) for value in job.args),
        ((f", {name}=", *_json(value)) for name, value in job.kwargs.items()),
    )
    return _beginning(chain.from_iterable(shown), CALL_CHARACTERS).removeprefix(", ")


@register.filter
def pretty(job: SeenJob) -> str:
    """Show a job's arguments in full, a line for each value."""
    shown = chain(
        (("\n", *_json(value, indent=2)) for value in job.args),
        ((f"\n{name} = ", *_json(value, indent=2)) for name, value in job.kwargs.items()),
    )
    return _beginning(chain.from_iterable(shown), PRETTY_CHARACTERS).removeprefix("\n")


def _json(value: Any, indent: int | None = None) -> Iterator[str]:
    """Yield a JSON text in parts: of a huge value only the beginning is ever made."""
    return json.JSONEncoder(ensure_ascii=False, indent=indent).iterencode(value)


def _beginning(parts: Iterable[str], length: int) -> str:
    """Join parts until they are longer than can be shown."""
    text = []
    left = length
    for part in parts:
        text.append(part[: left + 1])
        left -= len(part)
        if left < 0:
            break
    return cut("".join(text), length)


@register.simple_tag
def linked(view: str, name: str, length: int, css: str = "jq-tag", empty: str = "") -> str:
    """Show the beginning of a name, as a link to its page if it can stand in an address."""
    text = cut(name or empty, length)
    if len(name) > LONGEST_LINKED:
        return format_html('<span class="{}">{}</span>', css, text)
    return format_html('<a href="{}" class="{}">{}</a>', reverse(f"jobqueue:{view}", args=[name]), css, text)


@register.filter
def is_linkable(name: str) -> bool:
    """Tell whether a name can stand in an address."""
    return len(name) <= LONGEST_LINKED


@register.filter
def place(backtrace: list[str]) -> str:
    """Return the line where it happened: the innermost of the site's own code, else the innermost of all."""
    return next((line for line in backtrace if not OUTSIDE.search(line)), backtrace[0] if backtrace else "")


@register.filter
def figure(value: str, name: str = "") -> str:
    """Show one of Redis's figures: long whole numbers in groups, ``keys=3,expires=0`` with blanks."""
    if NO_QUANTITY.search(name):
        return value
    if value.isascii() and value.isdigit() and 5 <= len(value) <= 20:
        return f"{int(value):,}"
    return value.replace(",", ", ") if "=" in value else value


@register.filter
def is_pattern(queue: str) -> bool:
    """Tell whether an entry of a worker's list stands for more than one queue."""
    return not PATTERN_SIGNS.isdisjoint(queue)


@register.filter
def words(name: str) -> str:
    """Show a Redis figure's name with blanks."""
    return name.replace("_", " ")
