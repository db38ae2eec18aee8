"""What a job of one name does and what becomes of it: all of a definition but the ways to enqueue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, ParamSpec, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS

from jobqueue.arity import Arity
from jobqueue.hooks import NO_HOOKS, Hooks
from jobqueue.options import OnCrash, check_queue

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

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def using(
        self, *, queue: str | None = None, database: str | None = None, on_commit: bool | None = None
    ) -> Self:
        """Return a copy that enqueues to another queue, with another database's commit, or at once."""
        changes: dict[str, Any] = {"queue": queue, "database": database, "on_commit": on_commit}
        return replace(self, **{name: value for name, value in changes.items() if value is not None})
