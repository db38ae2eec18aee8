"""The schedule of this site: the entries of its code, its file, its settings and Redis, and their jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from django.utils.timezone import get_default_timezone

from jobqueue import enqueueing, payload, recurring, registry, rubyjson, schedulefile, unique
from jobqueue.conf import settings
from jobqueue.defined import Defined
from jobqueue.exceptions import InvalidArguments, InvalidDefinition, InvalidSchedule, UnknownJob
from jobqueue.ids import new_id
from jobqueue.options import check_queue
from jobqueue.payload import KWARGS, Job
from jobqueue.recurring import BadEntry, Recurring, Source
from jobqueue.store import schedule as store
from jobqueue.store.schedule import Made

Entry = Recurring | BadEntry


def static() -> dict[str, Entry]:
    """Return the entries of this site's code, file and settings; of two of one name the later of these."""
    return {name: _entry(name, config, source) for name, config, source in _configured()}


def dynamic(texts: Mapping[str, bytes]) -> dict[str, Entry]:
    """Return the entries that stand in Redis, which count before those of the site."""
    return {name: _stored(name, text) for name, text in texts.items()}


def set_schedule(name: str, config: Mapping[str, Any]) -> None:
    """Set an entry of the schedule at run time, for all schedulers of this namespace, those of Ruby too.

    ``config`` is in resque-scheduler's form; its ``class`` may be a job definition or a class that is one.
    The entry takes the place of any other of its name, and stays until it is removed. Raises InvalidSchedule
    for what some scheduler could not use, and RedisUnreachable.
    """
    fields = recurring.normal(config)
    if not fields.pop("persist", True):
        raise InvalidSchedule("persist: no process but this one would know the entry; leave it out")
    if isinstance(fields.get("class"), Defined | type):
        fields["class"] = registry.resolve(fields["class"]).name
    for field, hint in recurring.unknown_fields(fields).items():
        raise InvalidSchedule(f"{rubyjson.shown(field)} is no field of an entry. {hint}")
    store.put(name, stored(checked(name, fields, "redis")))


def remove_schedule(name: str) -> bool:
    """Remove an entry that was set at run time; tell whether there was one. Raises RedisUnreachable."""
    return store.remove(name)


def checked(name: str, config: Any, source: Source) -> Recurring:
    """Return an entry that can be used here; raise InvalidSchedule."""
    entry = recurring.read(name, config, get_default_timezone(), source)
    job = job_of(entry)
    definition = definition_of(entry)
    _check_queue(entry, definition)
    if definition and entry.timing:
        try:
            definition.arity.check(definition.name, job.args, job.kwargs)
        except InvalidArguments as error:
            raise InvalidSchedule(str(error)) from error
    if entry.persist:
        stored(entry)
    return entry


def stored(entry: Recurring) -> bytes:
    """Return how an entry stands in Redis, for schedulers of Ruby too; raise InvalidSchedule."""
    # They know no queue of a job of ours
    return recurring.persistent(entry.config if entry.queue else {**entry.config, "queue": queue_of(entry)})


def _check_queue(entry: Recurring, definition: Defined[..., Any] | None) -> None:
    if entry.queue:
        try:
            check_queue(entry.queue, "the entry")
        except InvalidDefinition as error:
            raise InvalidSchedule(str(error)) from error
    elif definition is None:
        raise InvalidSchedule(
            f"no installed app defines the job {rubyjson.shown(entry.job)}, so the entry needs a `queue`"
        )


def definition_of(entry: Recurring) -> Defined[..., Any] | None:
    """Return the definition of an entry's job; None for one that others perform."""
    try:
        return registry.get(entry.job)
    except UnknownJob:
        return None


def queue_of(entry: Recurring) -> str:
    """Return the queue to which an entry's jobs go."""
    definition = definition_of(entry)
    return entry.queue or (definition.queue if definition else "")


def said_of_run(entry: Recurring) -> str:
    """Return what a person is told who has run an entry."""
    definition, queue = definition_of(entry), rubyjson.cut(queue_of(entry))
    if definition is not None and definition.debounce is not None:
        return f"goes to the queue {queue} when its job has not been called for a while"
    if definition is not None and definition.unique is not None:
        return f"was put on the queue {queue}, unless an equal job was there"
    return f"was put on the queue {queue}"


def make(entry: Recurring) -> Made:
    """Return the job of a tick; raise InvalidArguments, or what ``unique_by`` raises."""
    job, definition = job_of(entry), definition_of(entry)
    if definition is None or definition.bare:
        return Made(queue_of(entry), payload.write(job))
    job = msgspec.structs.replace(job, id=new_id())
    if definition.unique is not None:
        lock = unique.lock_field(definition, job.args, job.kwargs)
        job = msgspec.structs.replace(job, unique=lock)
    return Made(queue_of(entry), payload.write(job), job.id or "", (job.unique or "").partition(":")[2])


def run(entry: Recurring, answers: Mapping[str, str]) -> Job | None:
    """Enqueue an entry's job now, with what was answered for its parameters; else as ``Definition.enqueue``.

    Answers go into its one argument that is a mapping, as in Ruby, or else to its keyword arguments.
    """
    job, definition = job_of(entry), definition_of(entry)
    args, kwargs = job.args, job.kwargs
    if len(args) == 1 and isinstance(args[0], dict):
        args = [{**args[0], **answers}]
    elif definition is None and answers:
        args = [*args, dict(answers)]
    else:
        kwargs = {**kwargs, **answers}
    if definition is not None:
        # At once, so that who runs it is told what came of it, in a transaction of the request too
        return enqueueing.enqueue(definition.using(queue=entry.queue, on_commit=False), args, kwargs)
    job = Job(job.name, args, kwargs)
    enqueueing.deliver_raw(queue_of(entry), payload.write(job))
    return job


def job_of(entry: Recurring) -> Job:
    """Return the job that an entry enqueues, without an id."""
    args = [*entry.args, {KWARGS: entry.kwargs}] if entry.kwargs else entry.args
    # Keyword arguments may stand among the arguments, as in every payload
    return payload.decode(rubyjson.encode({"class": entry.job, "args": args}).encode())


def _configured() -> Iterator[tuple[str, Any, Source]]:
    for definition in registry.definitions():
        if definition.cron is not None or definition.every is not None:
            yield definition.name, _of_code(definition), "code"
    if settings.schedule_file and isinstance(settings.schedule_file, str | Path):
        try:
            entries: Mapping[str, Any] = schedulefile.load(settings.schedule_file)
        except InvalidSchedule as error:
            entries = {str(settings.schedule_file): error}
        yield from ((name, config, "file") for name, config in entries.items())
    if isinstance(settings.schedule, Mapping):
        yield from ((str(name), config, "settings") for name, config in settings.schedule.items())


def _of_code(definition: Defined[..., Any]) -> dict[str, Any]:
    config = {"cron": definition.cron, "every": definition.every, "missed": definition.missed}
    return {name: value for name, value in config.items() if value is not None}


def _entry(name: str, config: Any, source: Source) -> Entry:
    try:
        if isinstance(config, InvalidSchedule):
            raise config
        return checked(name, config, source)
    except InvalidSchedule as error:
        return BadEntry(name, source, str(error))
    except Exception as error:
        # What nobody has thought of keeps no other entry from its times
        return BadEntry(name, source, f"{type(error).__name__}: {error}")


def _stored(name: str, text: bytes) -> Entry:
    try:
        config = rubyjson.decode(text)
    except ValueError as error:
        return BadEntry(name, "redis", f"{rubyjson.shown(text)} is no JSON: {error}")
    return _entry(name, config, "redis")
