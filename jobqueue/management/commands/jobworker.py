"""Start a supervisor with its workers: the options of the command line, and what may be wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser

from jobqueue import connection, consolelog, reloading, renewal
from jobqueue.exceptions import InvalidOption, InvalidQueues, RedisUnreachable
from jobqueue.management.tolerant import TolerantCommand
from jobqueue.pidfile import pidfile
from jobqueue.supervisor import Supervisor
from jobqueue.workeroptions import TASKS, read_options


class Command(TolerantCommand):
    help = (
        "Perform jobs until told to stop. QUIT, TERM and INT finish the running jobs; USR1 ends them; USR2 "
        "pauses and CONT continues; HUP takes new code; TTIN logs what every worker is doing."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Take no abbreviations: ``--reload`` has to be found and left out of the child's command line."""
        return super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queues",
            help="Queues in order of priority, such as 'high,low', '*', 'mail_*' or '*,!low', or with "
            "weights, 'high=6,low=1'; default: those of the defined jobs. Environment: QUEUES or QUEUE.",
        )
        parser.add_argument("--count", type=int, help="How many worker processes (1). Environment: COUNT.")
        parser.add_argument(
            "--jobs-per-fork",
            type=int,
            help="Replace a worker process after so many jobs; 1 forks for every job, as Resque does; 0, the "
            "default, never. Environment: JOBS_PER_FORK, FORK_PER_JOB.",
        )
        parser.add_argument(
            "--threads",
            type=int,
            help="How many jobs each worker process performs at a time, in threads (one, without threads). "
            "Environment: THREADS.",
        )
        parser.add_argument(
            "--async",
            type=int,
            nargs="?",
            const=TASKS,
            metavar="N",
            help="How many jobs each worker process performs at a time, on an event loop for those that are "
            f"`async def` and in threads for the others; {TASKS} if no number follows (one, without a loop). "
            "Environment: ASYNC.",
        )
        parser.add_argument(
            "--interval",
            type=float,
            help="Seconds between two looks of an idle worker that nothing wakes (5); 0 is --burst. "
            "Environment: INTERVAL.",
        )
        parser.add_argument(
            "--burst", action="store_true", help="Stop when no job is left; without a scheduler."
        )
        parser.add_argument(
            "--no-scheduler",
            action="store_true",
            help="Leave delayed and recurring jobs to other machines, or to `manage.py jobscheduler`.",
        )
        parser.add_argument(
            "--shutdown-timeout",
            type=float,
            help="Seconds that a stopping worker lets its job run before it ends the job (25).",
        )
        parser.add_argument(
            "--term-timeout",
            type=float,
            help="Seconds that a job which is ended may clean up before its process is killed (4). "
            "Environment: RESQUE_TERM_TIMEOUT.",
        )
        parser.add_argument(
            "--max-memory",
            type=float,
            metavar="MB",
            help="Replace a worker process that has grown beyond so many megabytes, between two jobs; 0, "
            "the default, never. Environment: MAX_MEMORY.",
        )
        parser.add_argument("--pidfile", help="Write the supervisor's pid here. Environment: PIDFILE.")
        parser.add_argument(
            "--reload", action="store_true", help="Start again when code changes; for development."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        consolelog.set_up(consolelog.verbosity(options["verbosity"], os.environ))
        try:
            chosen = read_options(options, os.environ)
        except (InvalidOption, InvalidQueues) as error:
            raise CommandError(str(error)) from error
        if options["reload"]:
            reloading.run(chosen.stops.graceful.seconds)
            return
        # First, since it lets the signals come that waited for new code: a Redis started below inherits that
        supervisor = None if renewal.is_trial() else Supervisor(chosen)
        try:
            connection.address()
        except (ImproperlyConfigured, RedisUnreachable) as error:
            raise CommandError(str(error)) from error
        if supervisor:
            with _pidfile(chosen.pidfile):
                supervisor.run()


@contextmanager
def _pidfile(path: str) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(pidfile(path))
        except OSError as error:
            raise CommandError(f"--pidfile {path!r} cannot be written: {error.strerror}.") from error
        yield
