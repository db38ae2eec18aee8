"""Tell whether a supervisor lives here and, if asked, whether Redis answers: exit status 0 or 1, one line."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser
from redis.exceptions import ResponseError

import jobhealth
from jobqueue.connection import address
from jobqueue.exceptions import RedisUnreachable
from jobqueue.inspection.replies import ask
from jobqueue.inspection.stats import parse_info
from jobqueue.keys import to_text


class Command(BaseCommand):
    help = (
        "Tell whether a supervisor of jobworkers lives here: exit status 0 or 1, and one line that says why. "
        "`python -m jobhealth` tells the same without starting Django."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        jobhealth.add_arguments(parser)
        parser.add_argument("--redis", action="store_true", help="Redis has to answer too.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            said = jobhealth.judge(jobhealth.folder(), options["max_age"], options["workers"])
            if options["redis"]:
                said += f"; {_ask_redis()}"
        except jobhealth.Unhealthy as error:
            self.stdout.write(f"unhealthy: {error}")
            sys.exit(1)
        self.stdout.write(f"healthy: {said}")


def _ask_redis() -> str:
    """Return a sentence on a Redis that takes commands; raise Unhealthy."""
    try:
        figures = parse_info(to_text(ask("INFO", "replication")))
    except (RedisUnreachable, ImproperlyConfigured) as error:
        raise jobhealth.Unhealthy(str(error)) from error
    except ResponseError as error:
        raise jobhealth.Unhealthy(f"Redis at {address().masked} refuses: {error}") from error
    if any(section.get("role") == "slave" for section in figures.values()):
        raise jobhealth.Unhealthy(f"Redis at {address().masked} is a replica, which takes no jobs")
    return f"Redis at {address().masked} answers"
