"""Find the job definitions of the installed apps: all that stands in their modules ``jobs``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from jobqueue.defining import from_class
from jobqueue.registry import is_class_of_job

MODULE = "jobs"


def discover() -> None:
    """Import the module ``jobs`` of every installed app and register the classes there that are jobs."""
    autodiscover_modules(MODULE)
    for app in apps.get_app_configs():
        if module := sys.modules.get(f"{app.name}.{MODULE}"):
            register_classes(module)


def register_classes(module: ModuleType) -> None:
    """Register each class of a module that has ``queue`` and ``perform`` as a job definition.

    What the module only imported from elsewhere is none of its jobs.
    """
    for owner in _classes(module):
        is_job = isinstance(getattr(owner, "queue", None), str) and hasattr(owner, "perform")
        if is_job and not is_class_of_job(owner):
            from_class(owner)


def _classes(module: ModuleType) -> Iterator[type]:
    for value in list(vars(module).values()):
        if isinstance(value, type) and f"{value.__module__}.".startswith(f"{module.__name__}."):
            yield value
