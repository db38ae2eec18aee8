"""How a worker was asked to run: by the command line, else by Resque's environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

from jobqueue import registry
from jobqueue.conf import Settings, settings
from jobqueue.exceptions import InvalidOption
from jobqueue.patterns import QueueList
from jobqueue.stopping import StopPlan, StopPlans

TASKS = 50
"""How many jobs a process performs at a time with ``--async`` alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerOptions:
    """The options of one ``manage.py jobworker``."""

    queues: QueueList
    count: int = 1
    """How many worker processes."""
    jobs_per_fork: int = 0
    """After how many jobs a process is replaced; 1 forks for each job, 0 never."""
    threads: int = 0
    """How many jobs a process performs at a time in threads; 0 for one, without threads."""
    tasks: int = 0
    """How many jobs a process performs at a time on an event loop; 0 for one, without a loop."""
    interval_seconds: float = Settings.interval_seconds
    burst: bool = False
    """Stop when no job is left."""
    has_scheduler: bool = False
    """Run a scheduler beside the workers."""
    stops: StopPlans = field(default_factory=StopPlans)
    """What each signal to stop means."""
    max_memory_mb: float = 0.0
    """A process that has grown beyond it is replaced, after the running job; 0 for never."""
    pidfile: str = ""

    @property
    def lanes(self) -> int:
        """How many jobs a process performs at a time."""
        return max(1, self.threads, self.tasks)

    @property
    def is_concurrent(self) -> bool:
        """It performs them in threads, or on an event loop, even if it is one at a time."""
        return bool(self.threads or self.tasks)


def read_options(given: Mapping[str, Any], environ: Mapping[str, str]) -> WorkerOptions:
    """Return the options; ``given`` holds those of the command line, None where it is silent.

    Raises InvalidOption or InvalidQueues.
    """
    options = _read(given, environ)
    _check_lanes(options)
    return options


def _read(given: Mapping[str, Any], environ: Mapping[str, str]) -> WorkerOptions:
    interval = _first(given["interval"], _number(environ, "INTERVAL"), settings.interval_seconds)
    return WorkerOptions(
        queues=QueueList.parse(_queues(given, environ)),
        count=_at_least(1, "--count", _first(given["count"], _whole(environ, "COUNT"), 1)),
        jobs_per_fork=_at_least(0, "--jobs-per-fork", _first(given["jobs_per_fork"], _per_fork(environ), 0)),
        threads=_at_least(0, "--threads", _first(given["threads"], _whole(environ, "THREADS"), 0)),
        tasks=_at_least(0, "--async", _first(given["async"], _whole(environ, "ASYNC"), 0)),
        interval_seconds=_at_least(0, "--interval", interval) or settings.interval_seconds,
        burst=(burst := given["burst"] or interval == 0),
        has_scheduler=not (given["no_scheduler"] or burst),
        stops=_stops(given, environ),
        max_memory_mb=_at_least(
            0, "--max-memory", _first(given["max_memory"], _number(environ, "MAX_MEMORY"), 0.0)
        ),
        pidfile=_first(given["pidfile"], environ.get("PIDFILE"), ""),
    )


def _check_lanes(options: WorkerOptions) -> None:
    """Refuse several jobs at a time where each gets a process of its own, and two ways to have them."""
    if options.threads and options.tasks:
        raise InvalidOption(
            f"--threads is {options.threads} and --async is {options.tasks}, and a worker process performs "
            "its jobs in one of these ways: take --async if any of them are `async def` (others get threads "
            "with it, too), else --threads."
        )
    if options.jobs_per_fork == 1 and options.is_concurrent:
        option, number = ("--threads", options.threads) if options.threads else ("--async", options.tasks)
        raise InvalidOption(
            f"--jobs-per-fork is 1, which forks a process for each job, and {option} is {number}, which "
            f"performs jobs inside of one: leave {option} out and raise --count, or leave --jobs-per-fork "
            "out (2 or more replace a process after so many jobs)."
        )


def _stops(given: Mapping[str, Any], environ: Mapping[str, str]) -> StopPlans:
    """Read how stops go; any value of TERM_CHILD and GRACEFUL_TERM switches them on, as in Resque."""
    finish = _first(given["shutdown_timeout"], settings.shutdown_timeout_seconds)
    cleanup = _first(
        given["term_timeout"], _number(environ, "RESQUE_TERM_TIMEOUT"), settings.term_timeout_seconds
    )
    pre_shutdown = _first(_number(environ, "RESQUE_PRE_SHUTDOWN_TIMEOUT"), 0.0)
    graceful = StopPlan(
        finish_seconds=_at_least(0, "--shutdown-timeout", finish),
        cleanup_seconds=_at_least(0, "--term-timeout", cleanup),
        fails=settings.fail_stopped_jobs,
    )
    resques = StopPlan(
        finish_seconds=_at_least(0, "RESQUE_PRE_SHUTDOWN_TIMEOUT", pre_shutdown),
        cleanup_seconds=cleanup,
        fails=True,
    )
    return StopPlans(
        graceful=graceful,
        term_child=resques if "TERM_CHILD" in environ else None,
        is_term_graceful="GRACEFUL_TERM" in environ,
    )


def _queues(given: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    text = _first(given["queues"], environ.get("QUEUES"), environ.get("QUEUE"))
    if text is not None:
        return str(text)
    defined = registry.queues()
    if not defined:
        raise InvalidOption(
            "No installed app defines a job, so there is no queue to work on: define one with @job in the "
            "`jobs` module of an app in INSTALLED_APPS, or name queues with --queues."
        )
    return ",".join(name.replace("=", "[=]") for name in defined)


def _per_fork(environ: Mapping[str, str]) -> int | None:
    """Read JOBS_PER_FORK, else Resque's FORK_PER_JOB, which anything but ``false`` switches on."""
    jobs = _whole(environ, "JOBS_PER_FORK")
    fork_per_job = environ.get("FORK_PER_JOB")
    if jobs is not None or fork_per_job is None:
        return jobs
    return 0 if fork_per_job == "false" else 1


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _whole(environ: Mapping[str, str], name: str) -> int | None:
    number = _number(environ, name)
    if number is not None and number != int(number):
        raise InvalidOption(f"{name}={environ[name]!r} is no whole number.")
    return None if number is None else int(number)


def _number(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise InvalidOption(f"{name}={text!r} is no number; set it to one, or unset it.")
    return number


def _at_least(least: float, name: str, value: Any) -> Any:
    if not (isfinite(value) and value >= least):
        end = "" if isfinite(value) else ", and have an end"
        raise InvalidOption(f"{name} is {value!r}; it must be at least {least}{end}.")
    return value
