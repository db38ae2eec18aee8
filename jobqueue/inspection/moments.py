"""Read the times that Ruby and jobqueue write as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

# Of the abbreviations that %Z writes only these mean the same everywhere (RFC 2822, and central Europe's).
ZONE_HOURS = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "CET": 1,
    "CEST": 2,
}
FORM = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})? ?([A-Z]+|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


def parse(text: str) -> datetime | None:
    """Return the moment a text names, or None if it cannot be known (an unheard-of time zone, say).

    Knows ``2026/11/21 00:21:45 UTC``, ``2026-11-21 00:21:41 +0000``, ISO 8601, and a time without any zone,
    which is taken as this machine's.
    """
    found = FORM.fullmatch(text.strip())
    if not found:
        return None
    try:
        naive = datetime(*map(int, found.groups()[:6]))  # type: ignore[arg-type]  # just the six
        return _placed(naive, found[7]).astimezone(UTC)
    except (ValueError, OverflowError, LookupError):
        return None


def _placed(naive: datetime, zone: str | None) -> datetime:
    """Give a time its zone; raises LookupError for an abbreviation with no certain meaning."""
    local = naive.astimezone()
    if zone is None or zone == local.tzname():
        return local
    return naive.replace(tzinfo=_offset(zone))


def _offset(zone: str) -> tzinfo:
    if zone[0].isalpha():
        return timezone(timedelta(hours=ZONE_HOURS[zone]))
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if zone[0] == "-" else offset)
