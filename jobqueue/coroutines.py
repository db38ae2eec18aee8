"""Perform jobs that are ``async def``: on the event loop of a worker, or on one made for a job.

The user's coroutine is a task of its own, and alone is cancelled: what ends a job late never hits the code
around it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, ParamSpec, TypeVar

from asgiref.sync import async_to_sync, sync_to_async

from jobqueue import databases
from jobqueue.calling import asks_again, goes_back, tell_of_failure
from jobqueue.defined import Defined
from jobqueue.exceptions import DontPerform, JobQueueError
from jobqueue.hooks import NO_HOOKS, Hooks, announce
from jobqueue.interruption import Interrupts
from jobqueue.payload import Job

P = ParamSpec("P")
R = TypeVar("R")


class _Ended:
    """What ends a job from outside, once something does."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def instead_of(self, raised: BaseException) -> BaseException:
        """Return why a job was cancelled, where that is what it raised, as of the line where it was."""
        if self.error is None or not isinstance(raised, asyncio.CancelledError):
            return raised
        return self.error.with_traceback(raised.__traceback__)


def call(definition: Defined[..., Any], job: Job, interrupts: Interrupts) -> None:
    """Call a job's coroutine function among its hooks, on a loop of its own; what it raises propagates."""
    try:
        raised = asyncio.run(attempt(definition, job, interrupts))
    finally:
        interrupts.through(None)
    if raised is not None:
        raise raised


def call_inline(definition: Defined[..., Any], job: Job) -> None:
    """Do the same in the process that enqueues: its synchronous parts stay in the caller's transaction."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if raised := async_to_sync(_complete)(definition, job, None):
            raise raised from None
    else:
        raise JobQueueError(
            f"{definition.name} is `async def`, and a running event loop cannot wait here until it has been "
            "performed inline: enqueue it with `await ….aenqueue(…)`."
        )


async def attempt(definition: Defined[..., Any], job: Job, interrupts: Interrupts) -> BaseException | None:
    """Run a job between two checks of the connections that its synchronous parts have; return what it raised.

    Those parts run in a thread of asgiref's, for all jobs of the process the same, one after another: the
    first check is not waited for, because the job's own parts come behind it.
    """
    before = asyncio.create_task(_before()) if databases.are_used_elsewhere() else None
    raised = await _complete(definition, job, interrupts)
    # Another job may keep the thread for long, and this one is not to answer for it
    interrupts.close()
    interrupts.lift()
    if not databases.are_used_elsewhere():
        return raised
    if before is not None and not before.done():
        before.cancel()
        return raised
    left_open = await _aside(databases.after_job)(before.result() if before else frozenset())
    return raised or (databases.left_open_error(job.name, left_open) if left_open else None)


async def _before() -> frozenset[str]:
    return await _aside(databases.before_job)()


def _aside(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """Return what runs a function in the thread that holds the connections."""
    return sync_to_async(function, thread_sensitive=True)


async def _complete(
    definition: Defined[..., Any], job: Job, interrupts: Interrupts | None
) -> BaseException | None:
    """Await the job as a task of its own, which alone is cancelled; return what it raised."""
    loop, ended = asyncio.get_running_loop(), _Ended()
    task = loop.create_task(_caught(definition, job, ended))

    def end(error: BaseException) -> None:
        if ended.error is None:
            ended.error = error
            with suppress(RuntimeError):  # the loop was closed: the job has ended
                loop.call_soon_threadsafe(task.cancel)

    if interrupts is not None:
        interrupts.through(end)
    try:
        return await task
    except asyncio.CancelledError as raised:
        # Before its first step
        return ended.instead_of(raised)


async def _caught(definition: Defined[..., Any], job: Job, ended: _Ended) -> BaseException | None:
    """Run a job among its hooks; return what it raised, since a SystemExit would end the loop.

    A process that the job forked ends here: it has the same loop, and would go on with its neighbours.
    """
    process, error = os.getpid(), None
    try:
        await _call(definition, job, ended)
    except BaseException as raised:
        error = ended.instead_of(raised)
    if os.getpid() != process:
        os._exit(0 if error is None else 1)
    return error


async def _call(definition: Defined[..., Any], job: Job, ended: _Ended) -> None:
    hooks = definition.hooks
    if hooks is NO_HOOKS:
        await definition.function(*job.args, **job.kwargs)
        return
    try:
        await _call_among_hooks(hooks, definition.function, job)
    except BaseException as raised:
        await _tell_of_failure(definition, job, ended.instead_of(raised))


async def _tell_of_failure(definition: Defined[..., Any], job: Job, error: BaseException) -> NoReturn:
    hooks = definition.hooks
    if hooks.on_failure and not (goes_back(error) or asks_again(definition, job, error)):
        await _aside(tell_of_failure)(hooks, job, error)
    raise error


async def _call_among_hooks(hooks: Hooks, function: Callable[..., Any], job: Job) -> None:
    """Nest the around-hooks, which are ``async def`` as the job is; the others are not."""
    args, kwargs = job.args, job.kwargs
    try:
        if hooks.before_perform:
            await _aside(announce)(hooks.before_perform, args, kwargs)
    except DontPerform:
        return
    inner = partial(function, *args, **kwargs)
    for around in reversed(hooks.around_perform):
        inner = partial(around, inner, *args, **kwargs)
    await inner()
    if hooks.after_perform:
        await _aside(announce)(hooks.after_perform, args, kwargs)
