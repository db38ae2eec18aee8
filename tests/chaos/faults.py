"""All that the monkey can do to a site. Each method is one fault; what it breaks for a while is repaired."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar, cast

from jobqueue.inspection import failures
from jobqueue.inspection.failures import Listed
from jobqueue.keys import Keys
from jobqueue.payload import decode
from jobqueue.store.failures import remove, retry_listed
from jobqueue.store.queues import pause, remove_jobs, resume
from tests.chaos import ledger
from tests.chaos.accounts import how_failed, job_in
from tests.chaos.jobs import QUEUES
from tests.chaos.repairs import Repairs
from tests.chaos.site import Site, Tree
from tests.process.conftest import children

KEYS = Keys("resque:")
LOOKING_SECONDS = 2.0
T = TypeVar("T")


class Missed(Exception):
    """There is nothing now that this could be done to."""


class Faults:
    """What can be done to a site."""

    def __init__(self, site: Site, repairs: Repairs) -> None:
        self._site = site
        self._repairs = repairs
        self.chance = random.Random()
        """Decides on the details; another one for each fault."""

    # Killing

    def kill_worker(self) -> None:
        _kill(self._worker(), signal.SIGKILL)

    def kill_child(self) -> None:
        """Kill a process that performs a job for a worker, or that a job runs."""
        deadline = time.monotonic() + LOOKING_SECONDS
        while not (found := self._site.job_pids()) and time.monotonic() < deadline:
            time.sleep(0.005)
        _kill(self._one(found), signal.SIGKILL)

    def kill_supervisor(self) -> None:
        self._tree().kill_supervisor()

    def kill_tree(self) -> None:
        self._tree().kill()

    def kill_everything(self) -> None:
        """As in a power cut."""
        for tree in self._site.trees:
            tree.kill()
        self.kill_redis()

    def kill_redis(self) -> None:
        if not self._site.redis.is_running:
            raise Missed
        self._site.redis.kill()
        self._later(0, 1, self._start_redis)

    def _start_redis(self) -> None:
        if not self._site.redis.is_running:
            self._site.redis.start()

    def kill_producer(self) -> None:
        self.chance.choice(self._site.producers).kill()

    # Stopping for a while

    def freeze_worker(self) -> None:
        self._freeze_one(self._worker(), 0.1, 3)

    def freeze_supervisor(self) -> None:
        """For longer than counts as dead, while its workers go on."""
        self._freeze_one(self._tree().pid, 4.5, 6)

    def _freeze_one(self, pid: int, least: float, most: float) -> None:
        _kill(pid, signal.SIGSTOP)
        self._later(least, most, lambda: _kill(pid, signal.SIGCONT))

    def freeze_tree(self) -> None:
        self._freeze_tree(0.1, 2)

    def freeze_tree_for_long(self) -> None:
        self._freeze_tree(4.5, 6)

    def _freeze_tree(self, least: float, most: float) -> None:
        tree = self._tree()
        tree.signal_all(signal.SIGSTOP)
        self._later(least, most, lambda: tree.signal_all(signal.SIGCONT))

    def freeze_redis(self) -> None:
        self._site.redis.freeze()
        self._later(0.1, 2, self._site.redis.thaw)

    # The network

    def cut_connections(self) -> None:
        self._site.proxy.cut()

    def cut_in_reply(self) -> None:
        self._site.proxy.cut_in_reply(self.chance.choice([0, 0, 1, 5, 100]))

    def delay_replies(self) -> None:
        self._site.proxy.delay_seconds = self.chance.choice([0.002, 0.02, 0.3, 0.7])
        self._later(0.2, 1.5, lambda: setattr(self._site.proxy, "delay_seconds", 0))

    def delay_requests(self) -> None:
        self._site.proxy.request_delay_seconds = self.chance.choice([0.02, 0.3, 0.7, 1.2])
        self._later(0.2, 1.5, lambda: setattr(self._site.proxy, "request_delay_seconds", 0))

    def refuse_connections(self) -> None:
        self._site.proxy.refuses = True
        self._site.proxy.cut()
        self._later(0.2, 1.5, lambda: setattr(self._site.proxy, "refuses", False))

    # Redis itself

    def flush_scripts(self) -> None:
        self._site.client.script_flush()

    def fill_memory(self) -> None:
        used = int(self._site.client.info("memory")["used_memory"])
        self._site.client.config_set("maxmemory", used + self.chance.choice([-100_000, 0, 10_000]))
        self._later(0.2, 2, lambda: self._site.client.config_set("maxmemory", 0))

    # Signals

    def stop_tree(self) -> None:
        self._end(signal.SIGTERM)

    def interrupt_tree(self) -> None:
        self._end(signal.SIGINT)

    def quit_tree(self) -> None:
        self._end(signal.SIGQUIT)

    def stop_tree_twice(self) -> None:
        tree = self._end(signal.SIGTERM)
        supervisor = tree.process
        # Not to the next one in its place
        self._later(0, 0.5, lambda: supervisor.send_signal(signal.SIGTERM))

    def _end(self, number: int) -> Tree:
        tree = self._booted_tree()
        tree.may_end = True
        self.chance.choice([tree.signal, tree.signal_all])(number)
        return tree

    def stop_worker(self) -> None:
        _kill(self._one(children(self._booted_tree().pid)), signal.SIGTERM)

    def pause_tree(self) -> None:
        tree = self._booted_tree()
        tree.signal(signal.SIGUSR2)
        self._later(0.1, 2, lambda: tree.signal(signal.SIGCONT))

    def renew_tree(self) -> None:
        self._booted_tree().signal(signal.SIGHUP)

    def end_jobs(self) -> None:
        tree = self._booted_tree()
        self.chance.choice([tree.signal, tree.signal_all])(signal.SIGUSR1)

    def end_one_job(self) -> None:
        _kill(self._one(children(self._booted_tree().pid)), signal.SIGUSR1)

    def write_stacks(self) -> None:
        self._booted_tree().signal(signal.SIGTTIN)

    # People

    def pause_queue(self) -> None:
        queue = self.chance.choice(QUEUES)
        self._later(0.1, 1.5, lambda: resume(queue))
        pause(queue)

    def pause_all(self) -> None:
        self._later(0.1, 1.5, lambda: self._site.client.delete(KEYS.pause_all))
        self._site.client.set(KEYS.pause_all, "true")

    def retry_failures(self) -> None:
        found = self._failures()
        self._one(found)
        for listed in found:
            ledger.note(ledger.RETRIED, job_in(listed.failure))
            retry_listed(listed)

    def remove_failure(self) -> None:
        failure = self._one(self._failures()).failure
        self._sure(ledger.REMOVED, job_in(failure), lambda: remove(failure.raw), how_failed(failure))

    def dequeue(self) -> None:
        """Take a job out of its queue that never was in flight."""
        texts = [(queue, text) for queue in QUEUES for text in self._waiting(queue)]
        fresh = [each for each in texts if b'"crashes"' not in each[1] and b'"retry_of"' not in each[1]]
        queue, text = self._one(fresh)
        self._sure(ledger.DEQUEUED, str(decode(text).args[0]), lambda: remove_jobs(queue, [text]))

    def _waiting(self, queue: str) -> list[bytes]:
        return cast("list[bytes]", self._site.client.lrange(KEYS.queue(queue), 0, -1))

    def _sure(self, book: str, name: str, step: Callable[[], int], remark: str = "") -> None:
        """Note that a step was done, and if its answer is lost that it may have been."""
        try:
            is_done = step()
        except BaseException:
            ledger.note(book, name, f"perhaps {remark}")
            raise
        if not is_done:
            raise Missed
        ledger.note(book, name, f"surely {remark}")

    def _failures(self) -> list[Listed]:
        """Return some failures that were not retried."""
        found = [each for each in failures.page(0, 100).failures if not each.failure.retried_at]
        return self.chance.sample(found, min(len(found), 10))

    # Whom to do it to

    def _tree(self) -> Tree:
        return self.chance.choice(self._site.trees)

    def _booted_tree(self) -> Tree:
        """Return a tree that hears signals."""
        return self._one([tree for tree in self._site.trees if tree.hears()])

    def _worker(self) -> int:
        return self._one(self._site.worker_pids())

    def _one(self, found: Sequence[T]) -> T:
        if not found:
            raise Missed
        return self.chance.choice(found)

    def _later(self, least: float, most: float, repair: Callable[[], object]) -> None:
        self._repairs.after(self.chance.uniform(least, most), repair)


def _kill(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
