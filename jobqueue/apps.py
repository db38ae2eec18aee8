from __future__ import annotations

from django.apps import AppConfig

from jobqueue import discovery


class JobQueueConfig(AppConfig):
    name = "jobqueue"
    verbose_name = "Jobs"

    def ready(self) -> None:
        discovery.discover()
