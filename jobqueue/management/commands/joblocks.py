"""See and release the locks of unique jobs."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobqueue.exceptions import JobQueueError
from jobqueue.inspection import locks as reading
from jobqueue.inspection.locks import SeenLock
from jobqueue.printable import on_one_line
from jobqueue.rubyjson import cut
from jobqueue.store import unlocking as writing


class Command(BaseCommand):
    help = "The locks of unique jobs: list them, or release those whose jobs are gone, or one in any case."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_mutually_exclusive_group()
        actions.add_argument(
            "--release", metavar="ID", help="Release the lock that the job of this id holds."
        )
        actions.add_argument(
            "--release-orphans",
            action="store_true",
            help="Release all locks whose jobs neither wait nor run, since somebody took them away; "
            "schedulers do so every minute for those older than a minute.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["release"]:
                self.release(options["release"])
            elif options["release_orphans"]:
                released = sum(writing.release_orphans(young_too=True))
                self.stdout.write(f"{released} lock{'' if released == 1 else 's'} released.")
            else:
                self.list()
        except JobQueueError as error:
            raise CommandError(str(error)) from error

    def list(self) -> None:
        is_empty = True
        for lock in chain.from_iterable(reading.every()):
            is_empty = False
            self.stdout.write(on_one_line(_line(lock)))
        if is_empty:
            self.stdout.write("No lock is held: no unique job waits or runs.")

    def release(self, id: str) -> None:
        found = next((lock for locks in reading.every() for lock in locks if lock.id == id), None)
        if found is None or not writing.release(found):
            raise CommandError(f"No job {id!r} holds a lock; without options the locks are listed.")
        self.stdout.write("Released; its job stays where it is.")


def _line(lock: SeenLock) -> str:
    where = f"queue {lock.queue!r}" if lock.queue else "its moment"
    named = [f"{name}={value!r}" for name, value in lock.job.kwargs.items()]
    call = cut(f"{lock.job.name}({', '.join([*map(repr, lock.job.args), *named])})")
    return f"{lock.id or '?'}  {call}, until {lock.until or '?'}, for {where}"
