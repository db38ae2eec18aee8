"""The texts of jobs in Redis, and what the model calls these."""

from __future__ import annotations

from jobqueue import delayed, locks, payload
from jobqueue.payload import Job
from jobqueue.store.locks import Candidate
from tests.protocol.store import Delayed, Waiting, equals


def parse(text: bytes) -> Waiting:
    """Return a waiting job's name, its crashes and failed attempts, and whose arguments it has."""
    job = payload.decode(text)
    return name_of(job), job.crashes, job.attempt - 1, str(job.args[0]) if job.unique else job.name


def name_of(job: Job) -> str:
    """Return what the model calls a job; a unique one that is replaced keeps its id."""
    return job.id or "" if job.unique else job.name


def candidate(job: str) -> Candidate:
    """Return a unique job."""
    digest, kind = locks.digest("unique", equals(job)), job.partition("-")[0]
    return Candidate(digest, job, payload.encode(Job("unique", [job], id=job, unique=f"{kind}:{digest}")))


def parse_delayed(member: bytes) -> Delayed:
    """Return the queue of a delayed job before all that."""
    found = delayed.read(member)
    return found.queue, *parse(found.payload)
