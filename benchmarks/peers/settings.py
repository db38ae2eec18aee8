"""Django's settings for this project's workers, and for django-q2, which needs a database."""

from __future__ import annotations

import os

SECRET_KEY = "benchmarks"  # noqa: S105 - nothing is served
SITE = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
"""What a small site has installed, where that matters: for the memory of processes."""
INSTALLED_APPS = [*(SITE if "BENCH_SITE" in os.environ else []), "jobqueue", "benchmarks.peers"]
USE_TZ = True
LOGGING = {"version": 1, "disable_existing_loggers": True}
JOBQUEUE_HEARTBEAT_SECONDS = 1
JOBQUEUE_DEAD_AFTER_SECONDS = 6

if "BENCH_DATABASE" in os.environ:
    INSTALLED_APPS.append("django_q")
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"]}}
    Q_CLUSTER = {
        "name": "bench",
        "workers": 2,
        "timeout": 5,
        "retry": 6,
        "save_limit": -1,
        "catch_up": False,
        "log_level": "ERROR",
        "redis": os.environ.get("REDIS_URL", ""),
    }
