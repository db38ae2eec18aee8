"""A process that is forked to be a worker: what it is told by its supervisor, and how it ends."""

from __future__ import annotations

import logging
import os
import signal
from typing import NoReturn

from jobqueue import forksignals, lifeline
from jobqueue.attention import Attention
from jobqueue.concurrentworker import ConcurrentWorker
from jobqueue.forkingworker import ForkingWorker
from jobqueue.guardian import Guardian
from jobqueue.interruption import interruption
from jobqueue.patience import GaveUp
from jobqueue.slot import REPLACE, Slot
from jobqueue.worker import Worker, worker_id
from jobqueue.workeroptions import WorkerOptions

_log = logging.getLogger("jobqueue")


def fork_worker(options: WorkerOptions, slot: Slot, heard: Attention, guardian: Guardian) -> int:
    """Fork a worker into a slot and return its pid; raises OSError if the machine has no process to spare.

    ``heard`` is what the supervisor listens with: the worker begins paused if that is. It lets go of the
    ``guardian``, which waits for nothing but the supervisor's end.
    """
    supervisor = os.getpid()
    lifeline.flush()
    with forksignals.signals_waiting():
        pid = os.fork()
        if pid == 0:
            guardian.forget()
            _be_worker(options, slot, heard, supervisor)
    return pid


def _be_worker(options: WorkerOptions, slot: Slot, heard: Attention, supervisor: int) -> NoReturn:
    status = 1
    try:
        heard.close()
        lifeline.die_with_parent(signal.SIGTERM)
        own = Attention(
            options.stops,
            supervisor=supervisor,
            is_led=lambda: slot.page.retires,
            is_paused=heard.is_paused,
        )
        if not lifeline.is_orphan(supervisor):
            status = work(options, slot, own)
    except BaseException:
        _log.exception("worker %s broke", worker_id(os.getpid(), options))
    finally:
        lifeline.leave(status)


def work(options: WorkerOptions, slot: Slot, heard: Attention) -> int:
    """Be a worker, in a process just forked; return its exit status."""
    is_forking = options.jobs_per_fork == 1
    kind = ForkingWorker if is_forking else ConcurrentWorker if options.is_concurrent else Worker
    if is_forking:
        heard.pass_on()
    else:
        # Its first turn may have to wait for Redis, and until then no job is to be ended
        interruption.listen(lambda: None)
    slot.stacks.write_when_told(passes_on=is_forking)
    forksignals.hear()
    try:
        worker = kind(options, heard, slot.page, slot.started_at)
        worker.run()
    except GaveUp:
        gone = worker_id(os.getpid(), options)
        _log.warning("worker %s leaves while Redis is away; what it had will be recovered", gone)
        return 1
    return 0 if worker.is_done else REPLACE
