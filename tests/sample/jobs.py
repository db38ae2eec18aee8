"""Jobs for tests; what they did is told by ``done``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobqueue import DontPerform, job
from tests.sample.elsewhere import Elsewhere

OTHERS = [Elsewhere]
"""A class with all that a job needs, but from another module: no job of this one."""

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
    """A job with two hooks of every kind, which note in ``done`` that they ran."""

    queue = "hooked"
    vetoes: set[str] = set()
    """Names of hooks that return False, or raise DontPerform."""
    broken: set[str] = set()
    """Names of hooks that raise; ``perform`` is one of them."""

    @classmethod
    def note(cls, hook: str, *args: Any) -> bool:
        done.append((hook, *args))
        if hook in cls.broken:
            raise ValueError(f"{hook} is broken")
        return hook not in cls.vetoes

    @classmethod
    def perform(cls, *args: Any, **kwargs: Any) -> None:
        cls.note("perform", *args, *kwargs.values())

    @classmethod
    def before_enqueue_second(cls, *args: Any) -> bool:
        return cls.note("before_enqueue_second", *args)

    @classmethod
    def before_enqueue(cls, *args: Any) -> bool:
        return cls.note("before_enqueue", *args)

    @classmethod
    def after_enqueue(cls, *args: Any) -> None:
        cls.note("after_enqueue", *args)

    @classmethod
    def before_schedule(cls, *args: Any) -> bool:
        return cls.note("before_schedule", *args)

    @classmethod
    def after_schedule(cls, *args: Any) -> None:
        cls.note("after_schedule", *args)

    @classmethod
    def before_dequeue(cls, *args: Any) -> bool:
        return cls.note("before_dequeue", *args)

    @classmethod
    def after_dequeue(cls, *args: Any) -> None:
        cls.note("after_dequeue", *args)

    @classmethod
    def before_perform(cls, *args: Any, **kwargs: Any) -> bool:
        if not cls.note("before_perform", *args):
            raise DontPerform
        return False

    @classmethod
    def around_perform_b(cls, perform: Callable[[], None], *args: Any, **kwargs: Any) -> None:
        cls.note("around_perform_b enters", *args)
        perform()
        cls.note("around_perform_b leaves", *args)

    @classmethod
    def around_perform_a(cls, perform: Callable[[], None], *args: Any, **kwargs: Any) -> None:
        if cls.note("around_perform_a enters", *args):
            perform()
        cls.note("around_perform_a leaves", *args)

    @classmethod
    def after_perform(cls, *args: Any, **kwargs: Any) -> None:
        cls.note("after_perform", *args)

    @classmethod
    def on_failure_tell(cls, error: BaseException, *args: Any) -> None:
        cls.note("on_failure_tell", str(error), *args)

    on_failure_recipient = "a text, and no hook"
