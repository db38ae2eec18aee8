"""Settings of the chaos run's processes: whoever is dead is noticed soon."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403

INSTALLED_APPS = ["jobqueue", "tests.chaos"]
ROOT_URLCONF = "tests.workload.urls"
JOBQUEUE_HOSTNAME = os.environ.get("CHAOS_HOSTNAME")
JOBQUEUE_HEARTBEAT_SECONDS = 0.4
JOBQUEUE_DEAD_AFTER_SECONDS = 4.0
JOBQUEUE_TERM_TIMEOUT_SECONDS = 0.5
JOBQUEUE_TIMEOUT_GRACE_SECONDS = 0.5
JOBQUEUE_CONNECT_TIMEOUT_SECONDS = 0.5
JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 0.5
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"timed": {"format": "%(created).3f %(process)d %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "timed"}},
    "loggers": {"jobqueue": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
