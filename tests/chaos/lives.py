"""The life of each job, as the ledger and the Failed list tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from jobqueue.failure import Failure
from jobqueue.recovery import DIRTY_EXIT
from tests.chaos import ledger
from tests.chaos.jobs import RECURRING, REPEATED_BY_ITSELF, tick_name

RAISED, KILLED = "raised", "killed"
BEFORE = (ledger.TRIED, ledger.ACKNOWLEDGED, ledger.REFUSED, ledger.DROPPED, ledger.DELAYED)
SINCE = (ledger.BEGAN, ledger.ENDED, ledger.AGAIN, ledger.RETRIED, ledger.DEQUEUED, ledger.REMOVED)


@dataclass(kw_only=True, slots=True)
class Life:
    """All that is known of one job."""

    kind: str = ""
    """Empty if nobody has tried to enqueue it."""
    tried: list[float] = field(default_factory=list)
    """When somebody was about to enqueue it."""
    dropped: list[tuple[float, float]] = field(default_factory=list)
    """When a call that was dropped for its equal began, and when it had ended."""
    is_acknowledged: bool = False
    is_refused: bool = False
    began: list[float] = field(default_factory=list)
    began_beside: list[int] = field(default_factory=list)
    """For each time the pid of the worker if that may have performed others meanwhile, else 0."""
    ended: list[float] = field(default_factory=list)
    ended_by: list[int] = field(default_factory=list)
    """The pids of the workers."""
    again: list[float] = field(default_factory=list)
    """When an attempt was about to end that another one follows."""
    due: float = 0.0
    """The moment until which it was delayed."""
    retried: list[float] = field(default_factory=list)
    dequeued: list[tuple[float, str]] = field(default_factory=list)
    is_failed: bool = False
    """Its failure stands in the Failed list and was not retried."""
    removed: list[float] = field(default_factory=list)
    """When its failure was removed, or may have been."""

    @property
    def is_explained(self) -> bool:
        """Whether it has ended, after the last retry if there was one, or stands where it can be seen."""
        after = self.retried[-1] if self.retried else 0.0
        taken_out = [*self.removed, *(at for at, _ in self.dequeued)]
        return self.is_failed or any(at > after for at in (*self.ended, *taken_out))

    @property
    def is_lost(self) -> bool:
        return self.is_acknowledged and not self.is_explained

    @property
    def is_invented(self) -> bool:
        """Whether it came to life although nobody has enqueued it, or after it was taken out again."""
        lives = bool(self.began or self.ended or self.is_failed)
        surely_out = [at for at, how in self.dequeued if how == "surely"]
        return (lives and (not self.kind or self.is_refused)) or any(
            began > out for out in surely_out for began in self.began
        )

    def repeats_within(self, calm: tuple[float, float]) -> Iterator[tuple[float, int]]:
        """Yield when, and beside whose jobs, it had begun that began again while nothing was broken.

        Not if it began again because its first attempt was to be followed by another one.
        """
        if self.kind == REPEATED_BY_ITSELF:
            return
        for (first, beside), (second, _) in pairwise(zip(self.began, self.began_beside, strict=True)):
            is_attempt = any(first <= at <= second for at in self.again)
            if calm[0] <= first and second <= calm[1] and not is_attempt:
                yield first, beside

    @property
    def began_early(self) -> bool:
        """Whether it began before its moment."""
        return any(began < self.due for began in self.began)


def read_lives(failures: Iterable[Failure]) -> dict[str, Life]:
    """Return what the ledger and the Failed list tell of each job, by its name."""
    lives: dict[str, Life] = {}
    for book in (*BEFORE, *SINCE):
        for note in ledger.read(book):
            _add(lives.setdefault(note.name, Life()), book, note)
    for failure in failures:
        if not failure.retried_at:
            lives.setdefault(job_in(failure), Life()).is_failed = True
    return lives


def _add(life: Life, book: str, note: ledger.Note) -> None:
    if book == ledger.TRIED:
        life.kind = note.remark
        life.tried.append(note.at)
    elif book == ledger.ACKNOWLEDGED:
        life.is_acknowledged = True
    elif book == ledger.REFUSED:
        life.is_refused = True
    elif book == ledger.DROPPED:
        life.dropped.append((float(note.remark), note.at))
    elif book == ledger.DEQUEUED:
        life.dequeued.append((note.at, note.remark.strip()))
    elif book == ledger.REMOVED:
        life.removed.append(note.at)
    elif book == ledger.DELAYED:
        life.due = float(note.remark)
    else:
        times = {
            ledger.BEGAN: life.began,
            ledger.ENDED: life.ended,
            ledger.AGAIN: life.again,
            ledger.RETRIED: life.retried,
        }
        times[book].append(note.at)
        if book == ledger.BEGAN:
            life.began_beside.append(note.pid if note.remark == ledger.BESIDE else 0)
        if book == ledger.ENDED:
            life.ended_by.append(note.pid)


def job_in(failure: Failure) -> str:
    """Return the name of a failed job, which is its first argument, unless it is a recurring one."""
    if failure.job and failure.job.name in RECURRING:
        return tick_name(failure.job)
    return str(failure.job.args[0]) if failure.job and failure.job.args else "unreadable"


def how_failed(failure: Failure) -> str:
    """Tell whether a job has raised, or its process has died: Resque counts only the first as failed."""
    was_killed = failure.exception == DIRTY_EXIT or "its process was killed" in failure.error
    return KILLED if was_killed else RAISED


def ways_failed(failures: Iterable[Failure]) -> Counter[str]:
    return Counter(map(how_failed, failures))
