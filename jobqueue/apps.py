"""The Django app: it finds the jobs of all apps and has its settings checked."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register

from jobqueue import checks, discovery


class JobQueueConfig(AppConfig):
    name = "jobqueue"
    verbose_name = "Jobs"

    def ready(self) -> None:
        register(checks.check_settings)
        register(checks.check_schedule)
        discovery.discover()
