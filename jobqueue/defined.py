"""What a job of one name does and what becomes of it: all of a definition but the ways to enqueue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, ParamSpec, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS

from jobqueue.arity import Arity
from jobqueue.hooks import NO_HOOKS, Hooks
from jobqueue.options import OnCrash, check_queue
from jobqueue.pause import Pause
from jobqueue.recurring import Missed
from jobqueue.retrying import Backoff, Kinds, RetryPolicy
from jobqueue.uniqueoptions import OnConflict, Unique, UniqueBy, check_debounce, check_has_id

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_QUEUE = "default"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Defined(Generic[P, R]):
    """What a site has defined as a job of one name; calling it just calls the function."""

    name: str
    """What stands in payloads; unique among all installed apps."""
    queue: str = DEFAULT_QUEUE
    function: Callable[P, R] = field(repr=False)
    place: str = field(repr=False)
    """Where it is defined, ``module:line``."""
    bare: bool = False
    """Write exactly Resque's two fields and no id, so that Ruby finds the job again by its text."""
    batch: bool = True
    """May be claimed together with others; False shows each job on the pages from its first moment."""
    timeout: float | None = None
    """The job gets JobTimeout after so many seconds; ``inf`` for never, None for the setting."""
    on_crash: OnCrash = "fail"
    """What becomes of a job whose process dies: it fails, or is performed again, alone."""
    max_crashes: int | None = None
    """A job that was in flight in so many processes that died fails; None for the setting."""
    retries: int | None = None
    """How often a job that failed is tried again; None: never, unless it raises Retry."""
    backoff: Backoff | None = None
    """How long it waits before; None for exponential pauses."""
    retry_on: Kinds | None = None
    """Only what is one of these is worth another attempt; None for everything."""
    fail_on: Kinds = ()
    """What is one of these is not, even if ``retry_on`` names it."""
    unique: Unique | None = None
    """Of equal jobs only one waits ("queued"), or only one waits or runs ("until_done"); None: any number."""
    unique_by: UniqueBy | None = None
    """What makes jobs equal: what this returns for their arguments; None for all their arguments."""
    on_conflict: OnConflict = "drop"
    """What becomes of an enqueue that meets an equal job; see ``Definition.enqueue``."""
    debounce: Pause | None = None
    """Equal calls within this time become one job, which gets the arguments of the last; None: no waiting."""
    cron: str | None = None
    """It recurs: the schedule has an entry of its name, without arguments, that comes at these times."""
    every: Pause | str | None = None
    """Or so often; a text is like "1h30m"."""
    missed: Missed | None = None
    """What becomes of ticks that pass while no scheduler lives: "run-once", the default, or "skip"."""
    owner: type | None = field(default=None, repr=False)
    """The class that was defined as a job, if it was one."""
    database: str = DEFAULT_DB_ALIAS
    """The database whose commit an enqueue waits for."""
    on_commit: bool = True
    """Wait for the commit of the transaction under way, if there is one."""
    hooks: Hooks = field(default=NO_HOOKS, repr=False)
    is_async: bool = field(default=False, repr=False)
    """The function is ``async def``, and so are its around_perform hooks."""
    arity: Arity = field(repr=False)

    def __post_init__(self) -> None:
        check_queue(self.queue, self.place)
        check_debounce(self.debounce, self.unique, self.on_conflict, self.place)
        check_has_id(self.unique, self.place, bare=self.bare)

    @property
    def retry_policy(self) -> RetryPolicy:
        """What becomes of its jobs when they fail."""
        return RetryPolicy(self.retries, self.backoff, self.retry_on, self.fail_on)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def using(
        self,
        *,
        queue: str | None = None,
        database: str | None = None,
        on_commit: bool | None = None,
        debounce: Pause | None = None,
    ) -> Self:
        """Return a copy that enqueues to another queue, with another commit, at once, or debounced."""
        changes: dict[str, Any] = {"queue": queue, "database": database, "on_commit": on_commit}
        if debounce is not None:
            changes |= {"debounce": debounce, "unique": self.unique or "queued"}
        return replace(self, **{name: value for name, value in changes.items() if value is not None})
