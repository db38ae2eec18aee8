"""Every setting of jobqueue: its type, its default beside it, read at use.

A setting ``name`` is overridden in Django's settings by ``JOBQUEUE_NAME``.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.utils.functional import empty

PREFIX = "JOBQUEUE_"


class Settings:
    """The defaults; in ``settings`` an attribute is looked up in Django's settings at each read."""

    redis_url: str | None = None
    """Where Redis is. Default: the environment's REDIS_URL, else (with DEBUG) an embedded server."""
    namespace: str | None = None
    """First part of every key. Default: the one in REDIS_URL's short form, else ``resque``."""
    hostname: str | None = None
    """Host part of worker ids. Default: the machine's name."""
    inline: bool = False
    """Perform every job at once in the caller, without Redis."""
    connect_timeout_seconds: float = 2.0
    socket_timeout_seconds: float = 2.0
    wait_replicas: int = 0
    """An enqueue waits until so many replicas have the job; 0 waits for none."""
    wait_timeout_seconds: float = 1.0
    """How long an enqueue waits for replicas, before it says that they do not have the job."""
    max_payload_bytes: int = 1_000_000
    """A larger payload is refused at the enqueue."""
    interval_seconds: float = 5.0
    """An idle worker that no doorbell wakes looks for jobs this often (Ruby clients do not ring)."""
    shutdown_timeout_seconds: float = 25.0
    """How long a stopping worker lets its job run before it ends the job."""
    term_timeout_seconds: float = 4.0
    """How long a job that is ended may clean up before its process is killed."""
    fail_stopped_jobs: bool = False
    """A job that a stopping worker had to end goes to Failed; else it is put back."""
    job_timeout_seconds: float | None = None
    """A job that names no timeout of its own gets JobTimeout after so long. None: never."""
    timeout_grace_seconds: float = 5.0
    """How long a job may clean up after its JobTimeout before its process is killed."""
    heartbeat_seconds: float = 5.0
    dead_after_seconds: float = 30.0
    """A worker process whose last heartbeat is older is recovered by others."""
    max_crashes: int = 3
    """A job that was in flight in this many dead processes goes to Failed."""
    scheduler_interval_seconds: float = 5.0
    """A scheduler that nothing wakes looks for jobs that are due this often (Ruby clients do not ring)."""
    master_lock_prefix: str | None = None
    """resque-scheduler's prefix of its lock. Default: RESQUE_SCHEDULER_MASTER_LOCK_PREFIX, else none."""
    schedule: object = None
    """The recurring jobs of this site: a dict of names and configurations in resque-scheduler's form."""
    schedule_file: str | Path | None = None
    """The same as a YAML file."""
    environment: str | None = None
    """Entries of the schedule may name theirs. Default: ``development`` with DEBUG, else ``production``."""
    can_view: str = "jobqueue.views.access.is_staff"
    """Dotted path of a function ``(user) -> bool``: who may see the dashboard."""
    can_operate: str = "jobqueue.views.access.is_staff"
    """Dotted path of a function ``(user) -> bool``: who may retry and remove."""
    health_token: str | None = None
    """Opens health.json in full, and stats.txt, to whoever sends it as ``Authorization: Bearer …``."""


NAMES = {name: PREFIX + name.upper() for name in Settings.__annotations__}
"""What each setting is called in a Django settings module."""


def _read_at_use(name: str) -> property:
    full_name, default = NAMES[name], vars(Settings)[name]

    def read(_: Settings) -> Any:
        # Django's lazy object remembers what it finds, but pays dearly each time it finds nothing, and for
        # being asked what it wraps
        site = object.__getattribute__(django_settings, "_wrapped")
        return getattr(django_settings if site is empty else site, full_name, default)

    return property(read)


settings: Settings = type("SettingsInForce", (Settings,), {name: _read_at_use(name) for name in NAMES})()


def known_settings() -> frozenset[str]:
    """Return the names a Django settings module may use."""
    return frozenset(NAMES.values())


def environment() -> str:
    """Return what this site's environment is called, for entries of the schedule that name some."""
    return settings.environment or ("development" if django_settings.DEBUG else "production")


def hostname() -> str:
    """Return the host part of this machine's worker ids.

    Ruby splits a worker id at its colons, so none may stand in the host's name.
    """
    return (settings.hostname or socket.gethostname()).replace(":", "-")
