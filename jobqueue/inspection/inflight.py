"""Read what a worker has in flight: claimed and not settled yet."""

from __future__ import annotations

from dataclasses import dataclass

from jobqueue.connection import keys
from jobqueue.held import is_token, read_held
from jobqueue.inspection.jobs import SeenJob, read_job
from jobqueue.inspection.replies import fetch, or_else
from jobqueue.keys import to_bytes, to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One job in flight."""

    queue: str
    is_started: bool
    job: SeenJob


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """All that the runs of one worker hold, in the order of their claims."""

    jobs: list[Held]
    complaints: list[str]


def of_worker(worker_id: str) -> InFlight:
    """Return what a worker of ours holds; a Ruby worker has nothing there. Three round trips."""
    k = keys()
    complaints: list[str] = []
    own = runs_of(worker_id, complaints)
    held: list[Held] = []
    for run, reply in zip(own, fetch([("HGETALL", k.inflight(run)) for run in own]), strict=True):
        held += _held(or_else([], reply, k.inflight(run), complaints))
    return InFlight(jobs=held, complaints=complaints)


def runs_of(worker_id: str, complaints: list[str] | None = None) -> list[str]:
    """Return the runs of a worker of ours, which a Ruby worker has none of. Two round trips."""
    k = keys()
    found = fetch([("ZRANGE", k.runs, 0, -1)])[0]
    runs = [to_text(run) for run in or_else([], found, k.runs, [] if complaints is None else complaints)]
    owners = fetch([("HGET", k.inflight(run), "worker") for run in runs])
    return [run for run, owner in zip(runs, owners, strict=True) if owner == to_bytes(worker_id)]


def _held(flat: list[bytes]) -> list[Held]:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return [_read(fields[token]) for token in sorted(filter(is_token, fields), key=int)]


def _read(value: bytes) -> Held:
    try:
        held = read_held(0, value)
    except ValueError:
        return Held(queue="", is_started=False, job=read_job(value))
    return Held(queue=held.queue, is_started=held.is_started, job=read_job(held.payload))
