"""Every error that jobqueue raises.

JobQueueError
├── InvalidArguments          an argument is no JSON value, or does not fit the signature
├── PayloadTooLarge           a payload is over JOBQUEUE_MAX_PAYLOAD_BYTES
├── InvalidPayload            a text in Redis is no job
├── UnknownJob                a payload names a job that is not registered
├── InvalidQueues             a worker's list of queues cannot be used
├── InvalidOption             an option of a command cannot be used
├── InvalidSchedule           an entry of the schedule cannot be used
├── RedisUnreachable          Redis does not answer
│   └── RedisFull             Redis has no memory left to take it in
├── AlreadyEnqueued           an equal job of a unique definition waits or runs
├── NotReplicated             a job is enqueued, but on too few replicas to survive any failover
├── RunLost                   another process has recovered this worker's run
└── ImproperlyConfigured ✕    (also Django's own)
    ├── DuplicateJob          two definitions have one name
    ├── InvalidDefinition     a definition's options cannot be used
    └── InvalidRedisURL       REDIS_URL cannot be understood
DontPerform                   raised by a before_perform hook: end the job quietly
Retry                         raised in a job: try it again later
DirtyExit                     the process that performed a job died
TermException                 raised in a job that its worker ends (a BaseException)
JobTimeout                    raised in a job that runs longer than its timeout (a BaseException)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from jobqueue.pause import Pause, pause_seconds


class JobQueueError(Exception):
    """Base of every error of jobqueue."""


class InvalidArguments(JobQueueError, TypeError):
    """An argument of an enqueue is no JSON value, or the arguments do not fit the signature."""


class PayloadTooLarge(JobQueueError, ValueError):
    """A payload is over JOBQUEUE_MAX_PAYLOAD_BYTES."""


class InvalidPayload(JobQueueError, ValueError):
    """A text in Redis is no job."""


class UnknownJob(JobQueueError, LookupError):
    """A payload names a job that no installed app defines."""


class InvalidQueues(JobQueueError, ValueError):
    """A worker's list of queues cannot be used."""


class InvalidOption(JobQueueError, ValueError):
    """An option of a command, on its command line or in the environment, cannot be used."""


class InvalidSchedule(JobQueueError, ValueError):
    """An entry of the schedule cannot be used."""


class RedisUnreachable(JobQueueError, ConnectionError):
    """Redis does not answer; the message names its address with the password masked."""

    def __init__(self, message: str = "", *, may_have_arrived: bool = False) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        """Redis was asked, and may have done it: only its answer is missing."""


class RedisFull(RedisUnreachable):
    """Redis has no memory left, and takes in nothing new until workers have drained it."""


class NotReplicated(JobQueueError):
    """A job is enqueued, but fewer replicas than JOBQUEUE_WAIT_REPLICAS have told in time that they have it.

    It will be performed, unless a replica without it becomes the master. Enqueued again, it is performed
    twice.
    """

    def __init__(self, message: str = "", answers: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.answers = answers
        """What Redis has said of it."""


class RunLost(JobQueueError):
    """The run of this worker was recovered by another process, so nothing it does counts any more."""


class DuplicateJob(JobQueueError, ImproperlyConfigured):
    """Two definitions have the same name."""


class InvalidDefinition(JobQueueError, ImproperlyConfigured):
    """A job definition's options cannot be used."""


class InvalidRedisURL(JobQueueError, ImproperlyConfigured):
    """REDIS_URL, or the setting in its place, cannot be understood."""


class AlreadyEnqueued(JobQueueError):
    """An equal job of a unique definition waits or runs, so nothing was enqueued; ``id`` is that job's.

    It is empty where only jobs that were to be enqueued together are equal.
    """

    def __init__(self, name: str, id: str) -> None:
        super().__init__(
            f"An equal job of {name!r} waits or runs already, as {id}, so this one was not enqueued; with "
            "on_conflict='drop' that job would have been returned."
            if id
            else f"Some of these calls of {name!r} are equal, so none of them was enqueued; with "
            "on_conflict='drop' one job would have been enqueued for them."
        )
        self.id = id


class DontPerform(Exception):  # noqa: N818 - Resque's name, an instruction and no error
    """Raised in a before_perform hook: the job ends quietly and counts as processed."""


class Retry(Exception):  # noqa: N818 - an instruction and no error
    """Raised in a job: try it again, after ``in_`` seconds (or a timedelta), else as its backoff says.

    It counts as an attempt: after the last one that the job may have, it is a failure. What it was raised
    from, or in the handling of, is what the pages show. Raises ValueError if ``in_`` is no pause.
    """

    def __init__(self, message: str = "The job asked to be tried again", *, in_: Pause | None = None) -> None:
        super().__init__(message)
        self.in_seconds = None if in_ is None else pause_seconds(in_)


class DirtyExit(JobQueueError):
    """The process that performed a job died before the job had ended."""


class TermException(BaseException):  # noqa: N818 - Resque's name
    """Raised in a running job that its worker ends; its message names the signal that asked for it.

    A job may catch it to clean up, and should let it pass on. It is no Exception, so that a job's own
    ``except Exception`` does not hold it up.
    """

    def __init__(self, message: str, *, goes_back: bool = False, stops: bool = False) -> None:
        super().__init__(message)
        self.goes_back = goes_back
        """The job waits in its queue again, at the head; else it is a failure."""
        self.stops = stops
        """Its worker stops, so the job is not to blame; else somebody wanted just this job to end."""


class JobTimeout(BaseException):  # noqa: N818 - the field's name
    """Raised in a job that runs longer than its timeout, once; its process is killed a grace time later."""
