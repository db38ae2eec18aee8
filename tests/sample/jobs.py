"""Jobs for tests; what they did is told by ``done``."""

from __future__ import annotations

from collections import Counter  # noqa: F401 - a class that only came by import is no job
from typing import Any

from jobqueue import job

done: list[tuple[Any, ...]] = []
"""One tuple for each run: the job's short name, then what it got. Tests empty it."""


@job
def nothing() -> None:
    pass


@job(queue="emails")
def send_email(to: str, subject: str = "", *, body: str = "") -> str:
    done.append(("send_email", to, subject, body))
    return f"sent to {to}"


@job
def record(*args: Any, **kwargs: Any) -> None:
    done.append(("record", *args, kwargs) if kwargs else ("record", *args))


@job
def fail(message: str = "as it was told") -> None:
    raise ValueError(message)


@job(batch=False)
def alone() -> None:
    pass


@job(queue="emails", name="Emailer", bare=True)
def emailer(to: str, subject: str, body: str) -> None:
    done.append(("Emailer", to, subject, body))


@job(queue="emails", name="BouncingEmailer", bare=True)
def bouncing_emailer(to: str, subject: str = "", body: str = "") -> None:
    raise ValueError(f"cannot deliver to {to}")


@job(queue="emails", name="Newsletter", bare=True)
def newsletter(*content: Any) -> None:
    done.append(("Newsletter", *content))


@job(queue="images", name="Thumbnailer", bare=True)
def thumbnailer(path: str, width: int, height: int) -> None:
    done.append(("Thumbnailer", path, width, height))


class Exporter:
    """A job in Resque's own shape."""

    queue = "exports"

    @staticmethod
    def perform(export_id: int, format: str = "csv") -> None:
        done.append(("Exporter", export_id, format))


class Importer(Exporter):
    queue = "imports"
    name = "Importer"
    bare = True
    batch = False

    @classmethod
    def perform(cls, path: str) -> None:
        done.append((cls.__name__, path))


class Hooked:
    """A job with two hooks of every kind, which tell when they ran; ``veto`` and ``breaks`` name some."""

    queue = "hooked"
    veto: set[str] = set()
    """Hooks that return False, or raise DontPerform."""
    breaks: set[str] = set()
    """Hooks that raise, or ``perform``."""
