"""System checks of the settings and of the schedule; none of them asks Redis.

jobqueue.W001  a setting that begins with JOBQUEUE_ and is none
jobqueue.E001  a setting of a wrong type
jobqueue.E002  a number that should be positive, and have an end
jobqueue.E003  workers would be taken for dead between two heartbeats
jobqueue.E004  a function that decides on access cannot be imported
jobqueue.E005  the address of Redis cannot be understood
jobqueue.E006  an enqueue would wait longer for replicas than for any answer
jobqueue.E007  an entry of the schedule cannot be used
jobqueue.W002  an entry of the settings' schedule has a field that means nothing
jobqueue.W003  an entry of the schedule names a job by its path in Python, and there is none
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from math import isinf
from typing import Any, get_type_hints

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from jobqueue import recurring, registry, schedule
from jobqueue.address import RedisAddress
from jobqueue.conf import NAMES, PREFIX, Settings, known_settings, settings
from jobqueue.connection import configured_url
from jobqueue.recurring import BadEntry, Recurring

MAY_BE_ZERO = frozenset({"shutdown_timeout_seconds", "term_timeout_seconds", "wait_replicas"})
MAY_BE_ENDLESS = frozenset({"job_timeout_seconds"})
WHERE = {
    "code": "@job",
    "file": NAMES["schedule_file"],
    "settings": NAMES["schedule"],
}
"""Where an entry of the schedule stands that is no stranger's."""
BAD_ENTRY = "jobqueue.E007"
ACCESS = ("can_view", "can_operate")


def check_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Check every JOBQUEUE_ setting of the site."""
    messages: list[CheckMessage] = [*_unknown(), *_of_wrong_type()]
    if not any(isinstance(message, Error) for message in messages):
        messages += [
            *_not_positive(),
            *_too_soon_dead(),
            *_too_long_waits(),
            *_not_importable(),
            *_no_address(),
        ]
    return messages


def check_schedule(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Check every recurring job of the site's code, its file and its settings."""
    return [*_bad_entries(), *_unknown_fields(), *_unknown_jobs()]


def _given() -> Iterator[str]:
    return (name for name in dir(django_settings) if name.startswith(PREFIX))


def _unknown() -> Iterator[CheckMessage]:
    known = known_settings()
    for name in _given():
        if name not in known:
            near = get_close_matches(
                name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in known], 1
            )
            hint = f"Is {PREFIX}{near[0]} meant?" if near else f"The settings are {', '.join(sorted(known))}."
            yield Warning(f"jobqueue has no setting {name}.", hint=hint, id="jobqueue.W001")


def _of_wrong_type() -> Iterator[CheckMessage]:
    for name, wanted in get_type_hints(Settings).items():
        value = getattr(settings, name)
        if not _fits(value, wanted):
            words = str(getattr(wanted, "__name__", wanted)).replace("NoneType", "None")
            yield Error(f"{NAMES[name]} should be of the type {words}, and is {value!r}.", id="jobqueue.E001")


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, wanted | int if _is_float(wanted) else wanted)


def _is_float(wanted: Any) -> bool:
    return wanted in (float, float | None)


def _not_positive() -> Iterator[CheckMessage]:
    for name, wanted in get_type_hints(Settings).items():
        value = getattr(settings, name)
        if value is None or not (wanted is int or _is_float(wanted)):
            continue
        if name in MAY_BE_ZERO and not value >= 0:
            yield Error(f"{NAMES[name]} should be 0 or more, and is {value!r}.", id="jobqueue.E002")
        elif name not in MAY_BE_ZERO and not value > 0:
            yield Error(f"{NAMES[name]} should be more than 0, and is {value!r}.", id="jobqueue.E002")
        elif isinf(value) and name not in MAY_BE_ENDLESS:
            yield Error(f"{NAMES[name]} should have an end, and is {value!r}.", id="jobqueue.E002")


def _too_soon_dead() -> Iterator[CheckMessage]:
    if settings.dead_after_seconds < 2 * settings.heartbeat_seconds:
        yield Error(
            f"{NAMES['dead_after_seconds']} ({settings.dead_after_seconds}) should be at least twice "
            f"{NAMES['heartbeat_seconds']} ({settings.heartbeat_seconds}), or the living are taken for dead.",
            id="jobqueue.E003",
        )


def _too_long_waits() -> Iterator[CheckMessage]:
    if settings.wait_replicas and settings.wait_timeout_seconds >= settings.socket_timeout_seconds:
        yield Error(
            f"{NAMES['wait_timeout_seconds']} ({settings.wait_timeout_seconds}) should be less than "
            f"{NAMES['socket_timeout_seconds']} ({settings.socket_timeout_seconds}), or an enqueue that "
            "waits in vain for replicas looks like one that Redis did not answer.",
            id="jobqueue.E006",
        )


def _not_importable() -> Iterator[CheckMessage]:
    for name in ACCESS:
        path = getattr(settings, name)
        if path == vars(Settings)[name]:
            # A site without the dashboard, and so without users, need not be able to import the default
            continue
        try:
            is_function = callable(import_string(path))
        except ImportError:
            is_function = False
        if not is_function:
            yield Error(
                f"{NAMES[name]} should be the dotted path of a function (user) -> bool, and is {path!r}.",
                id="jobqueue.E004",
            )


def _no_address() -> Iterator[CheckMessage]:
    source = NAMES["redis_url"] if settings.redis_url else "The environment"
    try:
        if text := configured_url():
            RedisAddress.parse(text)
    except ImproperlyConfigured as error:
        yield Error(f"{source}: {error}", id="jobqueue.E005")


def _bad_entries() -> Iterator[CheckMessage]:
    if not isinstance(settings.schedule, Mapping | None):
        yield Error(
            f"{NAMES['schedule']} should be a dict of recurring jobs by name, and is {settings.schedule!r}.",
            id=BAD_ENTRY,
        )
    for entry in schedule.static().values():
        if isinstance(entry, BadEntry):
            is_file = entry.source == "file" and entry.name == str(settings.schedule_file)
            what, which = ("file", "None of its entries") if is_file else ("recurring job", "It never")
            yield Error(
                f"{WHERE[entry.source]}: the {what} {entry.name!r} cannot be used: {entry.problem}",
                hint=f"{which} comes, and others go on; the page Schedule shows it, too.",
                id=BAD_ENTRY,
            )


def _unknown_fields() -> Iterator[CheckMessage]:
    fields = sorted(recurring.FIELDS)
    for name, entry in schedule.static().items():
        if not isinstance(entry, Recurring) or entry.source != "settings":
            continue
        for field in sorted(entry.config.keys() - recurring.FIELDS):
            yield Warning(
                f"{NAMES['schedule']}: the recurring job {name!r} has a field {field!r}, which is none.",
                hint=_hint(field, fields, f"The fields are {', '.join(fields)}."),
                id="jobqueue.W002",
            )


def _unknown_jobs() -> Iterator[CheckMessage]:
    jobs = [definition.name for definition in registry.definitions()]
    for name, entry in schedule.static().items():
        # No class of Ruby has a dot in its name; one of another site with the same Redis may
        if isinstance(entry, Recurring) and "." in entry.job and entry.job not in jobs:
            yield Warning(
                f"{WHERE[entry.source]}: the recurring job {name!r} is of {entry.job!r}, which no installed "
                "app defines: here each of its runs would fail.",
                hint=_hint(entry.job, jobs, "It should stand in the `jobs` module of an app."),
                id="jobqueue.W003",
            )


def _hint(name: str, known: Sequence[str], otherwise: str) -> str:
    near = get_close_matches(name, known, 1)
    return f"Is {near[0]!r} meant?" if near else otherwise
