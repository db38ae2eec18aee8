"""Run a scheduler alone; ``jobworker`` runs one beside its workers."""

from __future__ import annotations

import logging
import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from jobqueue import connection, consolelog, processtitle
from jobqueue.attention import Attention
from jobqueue.exceptions import RedisUnreachable
from jobqueue.management.tolerant import TolerantCommand
from jobqueue.schedulerprocess import TITLE, schedule
from jobqueue.stopping import StopPlans

_log = logging.getLogger("jobqueue")


class Command(TolerantCommand):
    help = (
        "Bring delayed and recurring jobs to their queues when they are due, until told to stop with QUIT, "
        "TERM or INT. Any number may run; `manage.py jobworker` runs one by itself."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        consolelog.set_up(consolelog.verbosity(options["verbosity"], os.environ))
        heard = Attention(StopPlans())
        try:
            connection.address()
        except (ImproperlyConfigured, RedisUnreachable) as error:
            raise CommandError(str(error)) from error
        processtitle.show(TITLE)
        processtitle.warn_if_not_shown()
        _log.info("scheduler %s started", os.getpid())
        try:
            schedule(heard)
        finally:
            heard.close()
        _log.info("scheduler %s left", os.getpid())
