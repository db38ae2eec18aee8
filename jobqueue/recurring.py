"""Recurring jobs: the entries of the schedule, each a name and a configuration in resque-scheduler's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, get_args

from jobqueue import durations, rubyjson, timing
from jobqueue.exceptions import InvalidArguments, InvalidSchedule
from jobqueue.payload import KWARGS
from jobqueue.timing import Timing

Missed = Literal["run-once", "skip"]
"""What becomes of ticks that passed while no scheduler lived: one run for all of them, or none."""
Source = Literal["code", "file", "settings", "redis"]
"""Where an entry comes from; of two of one name the later of these counts."""

FIELDS = frozenset(
    {"cron", "every", "class", "queue", "args", "description", "env", "rails_env", "persist"}
    | {"custom_job_class", "parameters", "kwargs", "missed"}
)
NO_CUSTOM_CLASS = "Resque::Job"


class Parameter(NamedTuple):
    """Something that is asked for when an entry is run by hand."""

    name: str
    description: str = ""
    default: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurring:
    """An entry of the schedule."""

    name: str
    job: str
    """What stands in payloads as its class."""
    queue: str | None
    """None for the queue of the job's definition."""
    args: list[Any]
    kwargs: dict[str, Any]
    timing: Timing | None
    """None if it is only run by hand."""
    description: str
    environments: frozenset[str]
    """The environments where it counts; empty for all."""
    missed: Missed
    parameters: tuple[Parameter, ...]
    persist: bool
    """It is stored in Redis too, for Ruby."""
    source: Source
    config: Mapping[str, Any] = field(repr=False)

    def is_in(self, environment: str) -> bool:
        """Tell whether the entry counts in an environment."""
        return not self.environments or environment in self.environments


class BadEntry(NamedTuple):
    """An entry of the schedule that cannot be used, and why."""

    name: str
    source: Source
    problem: str


def read(name: str, config: Any, zone: tzinfo, source: Source) -> Recurring:
    """Return an entry of the schedule; ``zone`` is that of cron texts which name none.

    Raises InvalidSchedule.
    """
    fields = normal(config)
    args = _args(fields.get("args"))
    kwargs = _mapping("kwargs", fields)
    return Recurring(
        name=name,
        job=_job(name, fields),
        queue=_text("queue", fields) or None,
        args=_json("args", args),
        kwargs=_json("kwargs", kwargs),
        timing=timing.read(fields, zone),
        description=_text("description", fields),
        environments=_environments(fields),
        missed=_missed(fields),
        parameters=tuple(_parameter(*each) for each in _mapping("parameters", fields).items()),
        persist=fields.get("persist") in (True, "true"),
        source=source,
        config=fields,
    )


def normal(config: Any) -> dict[str, Any]:
    """Return a configuration without the colons that Ruby's YAML may have before names.

    Raises InvalidSchedule for what is none.
    """
    if not isinstance(config, Mapping):
        raise InvalidSchedule(
            f"{rubyjson.shown(config)} should be a mapping, such as {{'cron': '0 8 * * *', 'class': …}}"
        )
    return {str(name).lstrip(":"): value for name, value in config.items()}


def unknown_fields(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that mean nothing, each with what may have been meant."""
    return {field: _hint(field) for field in sorted(config.keys() - FIELDS)}


def _hint(field: str) -> str:
    near = get_close_matches(field, sorted(FIELDS), 1)
    return f"Is {near[0]!r} meant?" if near else f"The fields are {', '.join(sorted(FIELDS))}."


def persistent(config: Mapping[str, Any]) -> bytes:
    """Return how a configuration stands in ``persistent_schedules``, where Ruby reads it too.

    Raises InvalidSchedule for what is no JSON.
    """
    given = normal(config)
    fields = {name: value for name, value in given.items() if name not in ("persist", "kwargs")}
    if kwargs := given.get("kwargs"):
        fields["args"] = [*_args(fields.get("args")), {KWARGS: kwargs}]
    if not fields.get("cron") and fields.get("every") is not None:
        fields["every"] = _every(fields["every"])
    return rubyjson.encode(_json("the entry", fields)).encode()


def _every(value: Any) -> Any:
    # A bare number ends Ruby's scheduler
    if not isinstance(value, list | tuple):
        return durations.text(value)
    options = [normal(each) for each in value[1:]]
    for each in options:
        if "first_in" in each:
            each["first_in"] = durations.text(each["first_in"])
    return [durations.text(value[0]), *options]


def _job(name: str, fields: Mapping[str, Any]) -> str:
    custom = _text("custom_job_class", fields)
    return custom if custom and custom != NO_CUSTOM_CLASS else _text("class", fields) or name


def _args(args: Any) -> list[Any]:
    """Read arguments as Ruby does: what is no list is one argument."""
    if args is None or args is False:
        return []
    return list(args) if isinstance(args, list | tuple) else [args]


def _text(what: str, fields: Mapping[str, Any]) -> str:
    value = fields.get(what)
    if value is not None and not isinstance(value, str):
        raise InvalidSchedule(f"{what}: {rubyjson.shown(value)} should be a text")
    _json(what, value)
    return value or ""


def _mapping(what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    value = fields.get(what)
    if value is not None and not isinstance(value, Mapping):
        raise InvalidSchedule(f"{what}: {rubyjson.shown(value)} should be a mapping of names")
    return normal(value or {}) if what == "parameters" else dict(value or {})


def _json(what: str, value: Any) -> Any:
    try:
        rubyjson.check(value, what)
    except InvalidArguments as error:
        raise InvalidSchedule(str(error)) from error
    return value


def _environments(fields: Mapping[str, Any]) -> frozenset[str]:
    text = _text("rails_env", fields) or _text("env", fields)
    return frozenset(text.replace(",", " ").split())


def _missed(fields: Mapping[str, Any]) -> Missed:
    value = fields.get("missed", "run-once")
    if value not in get_args(Missed):
        raise InvalidSchedule(f"missed: {rubyjson.shown(value)} should be 'run-once' or 'skip'")
    return value  # type: ignore[no-any-return]  # one of those two


def _parameter(name: str, config: Any) -> Parameter:
    if not isinstance(config, Mapping | None):
        raise InvalidSchedule(
            f"parameters.{rubyjson.cut(name)}: {rubyjson.shown(config)} should be a mapping of description "
            "and default"
        )
    fields = normal(config or {})
    default = fields.get("default")
    texts = [name, str(fields.get("description") or ""), "" if default is None else str(default)]
    return Parameter(*_json("parameters", texts))
