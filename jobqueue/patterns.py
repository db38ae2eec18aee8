"""Which queues a worker looks at, and in which order: Resque's lists with patterns and exclusions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from jobqueue.exceptions import InvalidQueues
from jobqueue.keys import to_bytes

_SPECIAL = frozenset("*?{}[]")


@dataclass(frozen=True, kw_only=True)
class QueueList:
    """A worker's list of queues: names and patterns in order of priority, and patterns it leaves alone."""

    entries: tuple[str, ...]
    exclusions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> QueueList:
        """Read ``critical,file_*,!file_tmp``; raise InvalidQueues if it names no queue to look at."""
        parts = [part.strip() for part in text.split(",")]
        entries = tuple(part for part in parts if part and not part.startswith("!"))
        if not entries:
            raise InvalidQueues(
                f"{text!r} names no queue to look at; name some, such as 'critical,emails' or '*'"
            )
        return cls(
            entries=entries, exclusions=tuple(part[1:].strip() for part in parts if part.startswith("!"))
        )

    @property
    def label(self) -> str:
        """The part of a worker's id that names its queues."""
        return ",".join(self.entries)

    @cached_property
    def has_patterns(self) -> bool:
        """Whether the known queues must be read before each look."""
        return bool(self.exclusions) or not all(map(_SPECIAL.isdisjoint, self.entries))

    def resolve(self, known: Iterable[str]) -> list[str]:
        """Return the queues to look at, in order; ``known`` is not read without patterns."""
        if not self.has_patterns:
            return list(self.entries)
        wanted = sorted((name for name in known if not _matches_any(name, self.exclusions)), key=to_bytes)
        found = (name for entry in self.entries for name in wanted if _matches_any(name, (entry,)))
        return list(dict.fromkeys(found))


def _matches_any(name: str, patterns: Iterable[str]) -> bool:
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Translate a pattern of Ruby's ``File.fnmatch`` without flags."""
    start = r"" if pattern.startswith((".", r"\.")) else r"(?!\.)"
    first, *others = _segments(pattern)
    if not others:
        return re.compile(start + first, re.DOTALL)
    # Atomic: a hostile name must not make stars try every way to share it among them
    middle = "".join(f"(?>.*?{segment})" for segment in others[:-1])
    return re.compile(f"{start}{first}{middle}.*{others[-1]}", re.DOTALL)


def _segments(pattern: str) -> list[str]:
    """Return the regular expressions of what stands between the stars."""
    segments = [""]
    for token in _tokens(pattern):
        if token == "*":
            segments.append("")
        else:
            segments[-1] += token
    return segments


_TOKEN = re.compile(r"\\(?P<escaped>.)|(?P<star>\*)|(?P<any>\?)|(?P<open>\[)|(?P<plain>.)", re.DOTALL)
_BRACKET = re.compile(r"([!^]?)((?:\\.|[^\\\]])*)\]", re.DOTALL)
_MEMBER = re.compile(r"\\?(.)(?:-\\?(.))?", re.DOTALL)
_NOTHING = "(?!)"


def _tokens(pattern: str) -> Iterator[str]:
    place = 0
    while token := _TOKEN.match(pattern, place):
        place = token.end()
        match token.lastgroup:
            case "star":
                yield "*"
            case "any":
                yield "."
            case "open":
                members, place = _bracket(pattern, place)
                yield members
            case _:
                yield re.escape(token["escaped"] or token["plain"])


def _bracket(pattern: str, place: int) -> tuple[str, int]:
    """Translate the set that begins at ``place``, behind its ``[``, and tell where it ends."""
    found = _BRACKET.match(pattern, place)
    if not found:
        return _NOTHING, len(pattern)
    negation, members = found.groups()
    inside = "".join(_member(low, high) for low, high in _MEMBER.findall(members))
    if not inside:
        return ("." if negation else _NOTHING), found.end()
    return f"[{'^' if negation else ''}{inside}]", found.end()


def _member(low: str, high: str) -> str:
    # Ruby takes a range written backwards for its two ends
    dash = "-" if low <= high else ""
    return re.escape(low) + (dash + re.escape(high) if high else "")
