"""Call a job's function among its hooks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from jobqueue import failure, rubyjson
from jobqueue.defined import Defined
from jobqueue.exceptions import DontPerform, JobTimeout, Retry, TermException
from jobqueue.hooks import NO_HOOKS, Hooks, announce
from jobqueue.payload import Job
from jobqueue.retrying import may_be_retried


def call(definition: Defined[..., Any], job: Job) -> None:
    """Call a job's function among its hooks; what it raises propagates after the on_failure hooks.

    Those run after each attempt that fails, but not where the job asks for the next one by itself.
    """
    hooks = definition.hooks
    if hooks is NO_HOOKS:
        definition.function(*job.args, **job.kwargs)
        return
    try:
        _call_among_hooks(hooks, definition.function, job)
    except BaseException as error:
        if not (goes_back(error) or asks_again(definition, job, error)):
            tell_of_failure(hooks, job, error)
        raise


def goes_back(error: BaseException) -> bool:
    """Tell whether the job is not to blame for what it raised: its worker had to end it."""
    return isinstance(error, TermException) and error.goes_back


def asks_again(definition: Defined[..., Any], job: Job, error: BaseException) -> bool:
    """Tell whether a job has asked to be tried again, and is going to be."""
    return isinstance(error, Retry) and may_be_retried(definition.retry_policy, job, error)


def tell_of_failure(hooks: Hooks, job: Job, error: BaseException) -> None:
    """Run the on_failure hooks; what one of them raises hides nothing of the job's own error."""
    try:
        announce(hooks.on_failure, [error, *job.args], job.kwargs)
    except (JobTimeout, TermException):
        raise
    except BaseException as another:
        text = (
            f"Additional error ({_brief(another)}) occurred in running failure hooks for job "
            f"{job.name} {rubyjson.shown(job.args)}\nThe error before it, of the job itself: {_brief(error)}"
        )
        raise RuntimeError(text).with_traceback(another.__traceback__) from error


def _call_among_hooks(hooks: Hooks, function: Callable[..., Any], job: Job) -> None:
    """Nest the around-hooks, the first one outermost; the after-hooks run even if none calls the job."""
    args, kwargs = job.args, job.kwargs
    try:
        announce(hooks.before_perform, args, kwargs)
    except DontPerform:
        return
    inner = partial(function, *args, **kwargs)
    for around in reversed(hooks.around_perform):
        inner = partial(around, inner, *args, **kwargs)
    inner()
    announce(hooks.after_perform, args, kwargs)


def _brief(error: BaseException) -> str:
    kind, message, _ = failure.describe(error)
    return f"{kind}: {message}"
