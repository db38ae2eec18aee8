"""Which queues a worker looks at, in which order: Resque's lists with patterns, exclusions, and weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from jobqueue.exceptions import InvalidQueues
from jobqueue.keys import to_bytes

_SPECIAL = frozenset("*?{}[]")
# Behind the last "=" that does not stand in brackets, as in a name that is spelled `a[=]b`
_WEIGHTED = re.compile(r"(?P<entry>.*[^\\])=(?P<weight>[^\]]*)", re.DOTALL)
_MOST = 1_000_000
"""No weight is more: shares beyond that are no different from strict order."""


@dataclass(frozen=True, kw_only=True)
class QueueList:
    """A worker's list of queues: names and patterns in order of priority, and patterns it leaves alone."""

    entries: tuple[str, ...]
    exclusions: tuple[str, ...] = ()
    weights: tuple[int, ...] = ()
    """One for each entry, 0 for one that keeps its place; empty if no entry has one."""

    @classmethod
    def parse(cls, text: str) -> QueueList:
        """Read ``critical,file_*,!file_tmp`` or ``high=6,low=1``; raise InvalidQueues if it is neither."""
        entries, exclusions = _parted(text)
        pairs = [_entry_and_weight(entry) for entry in entries]
        weights = tuple(weight for _, weight in pairs)
        return cls(
            entries=tuple(entry for entry, _ in pairs),
            exclusions=exclusions,
            weights=weights if any(weights) else (),
        )

    @classmethod
    def of_label(cls, label: str) -> QueueList:
        """Read the part of a worker's id that names its queues, in which an equals sign is part of a name."""
        entries, exclusions = _parted(label)
        return cls(entries=entries, exclusions=exclusions)

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
        return [name for names in self.by_entry(known) for name in names]

    def by_entry(self, known: Iterable[str]) -> list[list[str]]:
        """Return for each entry the queues that it is the first one to mean, in order."""
        if not self.has_patterns:
            found = [[entry] for entry in self.entries]
        else:
            wanted = sorted((name for name in known if not _matches_any(name, self.exclusions)), key=to_bytes)
            found = [[name for name in wanted if _matches_any(name, (entry,))] for entry in self.entries]
        return _each_once(found)


def _parted(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return entries and exclusions."""
    parts = [part.strip() for part in text.split(",")]
    entries = tuple(part for part in parts if part and not part.startswith("!"))
    if not entries:
        raise InvalidQueues(
            f"{text!r} names no queue to look at; name some, such as 'critical,emails' or '*'"
        )
    return entries, tuple(part[1:].strip() for part in parts if part.startswith("!"))


def _each_once(groups: Iterable[list[str]]) -> list[list[str]]:
    """Leave each name only where it comes first."""
    seen: set[str] = set()
    found = []
    for group in groups:
        found.append([name for name in dict.fromkeys(group) if name not in seen])
        seen.update(group)
    return found


def _entry_and_weight(text: str) -> tuple[str, int]:
    """Part ``low=1``; 0 stands for no weight."""
    match = _WEIGHTED.fullmatch(text)
    if match is None:
        return text, 0
    entry, weight = match["entry"].rstrip(), match["weight"].strip()
    if not (weight.isascii() and weight.isdecimal() and 1 <= int(weight[:9]) <= _MOST):
        raise InvalidQueues(
            f"{text!r} gives {entry!r} the weight {weight!r}; a weight is a whole number from 1 to {_MOST}, "
            f"as in '{entry}=3', and an equals sign in a queue's own name is spelled '[=]'"
        )
    return entry, int(weight)


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
