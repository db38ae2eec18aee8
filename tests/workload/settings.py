"""Settings of the worker processes that tests start."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403

INSTALLED_APPS = ["jobqueue", "tests.workload"]
ROOT_URLCONF = "tests.workload.urls"
JOBQUEUE_DEAD_AFTER_SECONDS = float(os.environ.get("TEST_DEAD_AFTER", "30"))
JOBQUEUE_FAIL_STOPPED_JOBS = "TEST_FAIL_STOPPED" in os.environ
JOBQUEUE_HEARTBEAT_SECONDS = float(os.environ.get("TEST_HEARTBEAT", "5"))
JOBQUEUE_SCHEDULE_FILE = os.environ.get("TEST_SCHEDULE_FILE")
JOBQUEUE_SCHEDULER_INTERVAL_SECONDS = float(os.environ.get("TEST_SCHEDULER_INTERVAL", "5"))
JOBQUEUE_SOCKET_TIMEOUT_SECONDS = float(os.environ.get("TEST_SOCKET_TIMEOUT", "2"))
JOBQUEUE_TERM_TIMEOUT_SECONDS = 10.0
JOBQUEUE_TIMEOUT_GRACE_SECONDS = float(os.environ.get("TEST_TIMEOUT_GRACE", "5"))
JOBQUEUE_JOB_TIMEOUT_SECONDS = (
    float(os.environ["TEST_JOB_TIMEOUT"]) if "TEST_JOB_TIMEOUT" in os.environ else None
)
if folder := os.environ.get("TEST_POSTGRES"):
    postgres = {"ENGINE": "django.db.backends.postgresql", "HOST": folder, "USER": "postgres"}
    DATABASES = {"default": {**postgres, "NAME": "postgres", "CONN_MAX_AGE": None}}
