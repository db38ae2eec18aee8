"""See the schedule of recurring jobs, and act on its entries."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.utils import timezone

from jobqueue import schedule, timetable
from jobqueue.exceptions import JobQueueError
from jobqueue.management.tolerant import TolerantCommand
from jobqueue.printable import on_one_line
from jobqueue.store import schedule as store
from jobqueue.timetable import Row

COLUMNS = ("NAME", "WHEN", "QUEUE", "LAST RUN", "NEXT RUN", "")


class Command(TolerantCommand):
    help = "The schedule of recurring jobs: those of this site's code, settings and file, and those in Redis."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="action", title="actions")
        actions.add_parser("list", help="all entries; the default")
        self._add_action(actions, "show", "one entry, with its next five runs")
        self._add_action(actions, "pause", "let its ticks pass")
        self._add_action(actions, "resume", "let its next ticks enqueue jobs again")
        run = self._add_action(actions, "run", "enqueue its job now")
        run.add_argument(
            "answers", nargs="*", metavar="parameter=value", help="those that the entry declares, or others"
        )
        put = self._add_action(actions, "set", "set an entry at run time, in the place of one of its name")
        put.add_argument("config", help='in resque-scheduler\'s form, as \'{"cron": "0 8 * * *", …}\'')
        self._add_action(actions, "remove", "remove an entry that was set at run time")

    def _add_action(self, actions: Any, name: str, help: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=help)
        parser.add_argument("name", help="the entry's name")
        return parser

    def handle(self, *args: Any, action: str | None, **options: Any) -> None:
        acts: dict[str, Callable[..., None]] = {
            "list": self.list,
            "show": self.show,
            "pause": self.pause,
            "resume": self.resume,
            "run": self.run,
            "set": self.set,
            "remove": self.remove,
        }
        given = {name: options[name] for name in ("name", "answers", "config") if name in options}
        try:
            acts[action or "list"](**given)
        except (JobQueueError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error

    def list(self) -> None:
        seen = timetable.read()
        table = [COLUMNS, *(_cells(row) for row in seen.rows())]
        widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS))]
        for line in table if seen.names else ():
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self._say("  ".join(cells).rstrip())
        if not seen.names:
            self._say("The schedule has no entries.")
        for complaint in seen.complaints:
            self.stderr.write(complaint)

    def show(self, name: str) -> None:
        row = self._row(name)
        self._say(f"{row.name}: {row.problem or row.when or 'only by hand'}")
        if row.entry and row.entry.description:
            self._say(row.entry.description)
        if row.entry:
            self._say(f"Job: {row.entry.job}, in the queue {row.queue}")
        self._say(f"Last run: {_shown(row.last)}")
        for moment in row.next or (None,):
            self._say(f"{'Tick that passes' if row.is_silent else 'Next run'}: {_shown(moment)}")
        if notes := ", ".join(_notes(row)):
            self._say(f"It is {notes}.")

    def pause(self, name: str) -> None:
        row = self._row(name)
        store.pause([name])
        self._say(f"{name} {row.said_of_pause}")

    def resume(self, name: str) -> None:
        store.resume([self._row(name).name])
        self._say(f"{name} goes on with its next tick.")

    def run(self, name: str, answers: Sequence[str]) -> None:
        entry = self._row(name).entry
        if entry is None:
            raise CommandError(f"{name} cannot be used; `manage.py jobschedule show {name}` says why.")
        given = {parameter.name: parameter.default for parameter in entry.parameters}
        given |= dict(map(_answer, answers))
        job = schedule.run(entry, given)
        self._say(
            f"{name} was not enqueued: a before_enqueue hook said no."
            if job is None
            else f"{name} {schedule.said_of_run(entry)}{f'; its id is {job.id}' if job.id else ''}."
        )

    def set(self, name: str, config: str) -> None:
        try:
            fields = json.loads(config)
        except ValueError as error:
            raise CommandError(f"{config!r} is no JSON: {error}") from error
        if not isinstance(fields, dict):
            raise CommandError(f'{config!r} should be an object, such as {{"cron": "0 8 * * *"}}')
        schedule.set_schedule(name, fields)
        self.show(name)

    def remove(self, name: str) -> None:
        row = timetable.read().get(name)
        if row is None or not schedule.remove_schedule(name):
            raise CommandError(f"No entry {name!r} was set at run time; others are removed where they stand.")
        self._say(f"{name} {row.said_of_removal}")

    def _say(self, text: str) -> None:
        """Write a line; what strangers have put into Redis has no effect on the terminal."""
        self.stdout.write(on_one_line(text))

    def _row(self, name: str) -> Row:
        row = timetable.read().get(name)
        if row is None:
            raise CommandError(f"The schedule has no entry {name!r}; `manage.py jobschedule` lists them.")
        return row


def _cells(row: Row) -> tuple[str, ...]:
    following = _shown(row.next[0] if row.next and not row.is_silent else None)
    notes = ", ".join([*([f"bad: {row.problem}"] if row.problem else []), *_notes(row)])
    return row.name, row.when or "-", row.queue or "-", _shown(row.last), following, notes


def _notes(row: Row) -> list[str]:
    """Return what is special about an entry that can be used."""
    notes = ["paused"] if row.is_paused else []
    if row.entry and not row.is_here:
        notes.append(f"only for {', '.join(sorted(row.entry.environments))}")
    return notes + (["fired by Ruby's master"] if row.is_fired_by_ruby else [])


def _shown(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}" if moment else "never"


def _answer(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise CommandError(f"{text!r} should be like limit=10.")
    return name, value
