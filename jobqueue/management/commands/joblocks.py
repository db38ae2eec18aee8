"""See and release the locks of unique jobs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobqueue.exceptions import JobQueueError
from jobqueue.inspection import locks as reading
from jobqueue.inspection.locks import SeenLock
from jobqueue.store import locks as writing


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
        for locks in reading.every():
            for lock in locks:
                self.stdout.write(_line(lock))

    def release(self, id: str) -> None:
        found = next((lock for locks in reading.every() for lock in locks if lock.id == id), None)
        if found is None or not writing.release(found):
            raise CommandError(f"No job {id!r} holds a lock; without options the locks are listed.")
        self.stdout.write("Released; its job stays where it is.")


def _line(lock: SeenLock) -> str:
    where = f"queue {lock.queue!r}" if lock.queue else "its moment"
    return f"{lock.id or '?'}  {lock.job.name} {lock.job.args!r}, until {lock.until or '?'}, for {where}"
