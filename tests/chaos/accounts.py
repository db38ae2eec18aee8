"""The account at the end: what has become of each job, told by the ledger and by the Failed list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jobqueue.failure import Failure
from tests.chaos import ledger, repeats, uniqueness
from tests.chaos.lives import Life, read_lives


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What has become of the jobs whose enqueueing Redis has acknowledged, and what is wrong with it."""

    enqueued: int
    performed: int
    """Those that have done all of their work at least once."""
    repeated: int
    """Those that have done it more than once, without being retried by a person."""
    failed: int
    """Those in the Failed list."""
    dropped: int
    """How many were dropped for their equals; nobody has promised anything for them."""
    lost: list[str]
    invented: list[str]
    """Jobs that were performed, or failed, and that nobody has enqueued."""
    complaints: list[str]

    def __str__(self) -> str:
        return (
            f"enqueued: {self.enqueued} performed: {self.performed} repeated: {self.repeated} "
            f"failed: {self.failed} invented: {len(self.invented)} lost: {len(self.lost)}"
        )

    @property
    def is_in_order(self) -> bool:
        return not (self.lost or self.invented or self.complaints)


def draw_up(failures: Iterable[Failure]) -> Account:
    """Compare what was enqueued with what has become of it; every worker has left by now."""
    lives = read_lives(failures)
    return Account(
        enqueued=sum(life.is_acknowledged for life in lives.values()),
        performed=sum(bool(life.ended) for life in lives.values()),
        repeated=sum(len(life.ended) > 1 + len(life.retried) for life in lives.values()),
        failed=sum(life.is_failed for life in lives.values()),
        dropped=sum(len(life.dropped) for life in lives.values()),
        lost=sorted(name for name, life in lives.items() if life.is_lost),
        invented=sorted(name for name, life in lives.items() if life.is_invented),
        complaints=list(complaints_of(lives)),
    )


def complaints_of(lives: dict[str, Life]) -> Iterator[str]:
    """Yield what is wrong, besides jobs that are lost or invented."""
    calms = read_calms()
    for name, life in lives.items():
        if len(life.tried) > 1:
            yield f"{name} was enqueued twice: this run proves nothing"
        if life.began_early:
            yield f"{name} began before its moment"
    for name in repeats.in_peace(lives, calms):
        yield f"{name} began twice while nothing was broken"
    yield from uniqueness.complaints_of(lives, calms)
    for name in repeats.unexplained(lives):
        yield f"{name} was performed twice, although nothing had happened to the first worker"
    for number, (began, ended) in enumerate(calms):
        if not any(began <= at <= ended for life in lives.values() for at in life.began):
            yield f"no job began in rest {number + 1}, while nothing was broken"


def read_calms() -> list[tuple[float, float]]:
    """Return when nothing was broken: from when to when, in seconds since the epoch."""
    return [(float(note.remark), note.at) for note in ledger.read(ledger.CALMS)]


def life_of(name: str, folder: Path) -> str:
    """Return all that is known of a job, in the order of time as far as lines tell it."""
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    found = [
        f"{path.name}: {line}"
        for path in sorted(folder.iterdir())
        if path.is_file()
        for line in path.read_text(errors="replace").splitlines()
        if word.search(line)
    ]
    return "\n".join(found)
