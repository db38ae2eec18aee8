"""The monkey: does something bad again and again, each kind as often as any other, in an order of chance."""

from __future__ import annotations

import heapq
import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import redis

from jobqueue import failure
from jobqueue.exceptions import InvalidPayload, JobQueueError
from jobqueue.inspection import failures
from jobqueue.keys import Keys
from jobqueue.store.failures import remove, retry_listed
from jobqueue.store.queues import pause, resume
from tests.chaos import ledger
from tests.chaos.jobs import QUEUES
from tests.chaos.site import Site, Tree
from tests.process.conftest import children

PAUSE_SECONDS = (0.05, 0.5)
KEYS = Keys("resque:")


class Monkey:
    """Disturbs a site; what it breaks for a while it repairs later, at the latest in ``calm_down``."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._chance = random.Random(seed)
        self._repairs: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._deck: list[Callable[[], None]] = []
        self.done: Counter[str] = Counter()
        """How often it did each thing."""

    def play(self, seconds: float) -> None:
        """Disturb for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self._chance.uniform(*PAUSE_SECONDS))
            self._repair(time.monotonic())
            self._site.revive()
            self._disturb()

    def calm_down(self) -> None:
        """Repair everything."""
        self._repair(float("inf"))

    def _disturb(self) -> None:
        if not self._deck:
            self._deck = list(self.faults())
            self._chance.shuffle(self._deck)
        fault = self._deck.pop()
        with suppress(redis.RedisError, JobQueueError):
            fault()
            self.done[fault.__name__] += 1

    def faults(self) -> list[Callable[[], None]]:
        """Return all it can do; what stands there twice it does twice as often."""
        return [
            self.kill_worker,
            self.kill_worker,
            self.kill_supervisor,
            self.kill_tree,
            self.kill_redis,
            self.kill_producer,
            self.freeze_worker,
            self.freeze_tree,
            self.freeze_tree_for_long,
            self.freeze_redis,
            self.cut_connections,
            self.cut_connections,
            self.cut_in_reply,
            self.cut_in_reply,
            self.delay_replies,
            self.refuse_connections,
            self.flush_scripts,
            self.fill_memory,
            self.stop_tree,
            self.quit_tree,
            self.pause_tree,
            self.renew_tree,
            self.end_jobs,
            self.write_stacks,
            self.pause_queue,
            self.pause_all,
            self.retry_failures,
            self.remove_failure,
        ]

    # Killing

    def kill_worker(self) -> None:
        if pids := children(self._tree().pid):
            _kill(self._chance.choice(pids), signal.SIGKILL)

    def kill_supervisor(self) -> None:
        tree = self._tree()
        tree.may_end = True
        tree.signal(signal.SIGKILL)

    def kill_tree(self) -> None:
        tree = self._tree()
        tree.may_end = True
        tree.signal_all(signal.SIGKILL)

    def kill_redis(self) -> None:
        self._site.redis.kill()
        self._later(0, 1, self._start_redis)

    def _start_redis(self) -> None:
        if not self._site.redis.is_running:
            self._site.redis.start()

    def kill_producer(self) -> None:
        self._chance.choice(self._site.producers).kill()

    # Stopping for a while

    def freeze_worker(self) -> None:
        if pids := children(self._tree().pid):
            pid = self._chance.choice(pids)
            _kill(pid, signal.SIGSTOP)
            self._later(0.1, 3, lambda: _kill(pid, signal.SIGCONT))

    def freeze_tree(self) -> None:
        self._freeze(0.1, 2)

    def freeze_tree_for_long(self) -> None:
        self._freeze(4.5, 6)

    def _freeze(self, least: float, most: float) -> None:
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
        self._site.proxy.cut_in_reply(self._chance.choice([0, 0, 1, 5, 100]))

    def delay_replies(self) -> None:
        self._site.proxy.delay_seconds = self._chance.choice([0.002, 0.02, 0.3, 0.7])
        self._later(0.2, 1.5, lambda: setattr(self._site.proxy, "delay_seconds", 0))

    def refuse_connections(self) -> None:
        self._site.proxy.refuses = True
        self._site.proxy.cut()
        self._later(0.2, 1.5, lambda: setattr(self._site.proxy, "refuses", False))

    # Redis itself

    def flush_scripts(self) -> None:
        self._site.client.script_flush()

    def fill_memory(self) -> None:
        used = int(self._site.client.info("memory")["used_memory"])  # type: ignore[index]
        self._site.client.config_set("maxmemory", used + self._chance.choice([-100_000, 0, 10_000]))
        self._later(0.2, 2, lambda: self._site.client.config_set("maxmemory", 0))

    # Signals

    def stop_tree(self) -> None:
        self._end(signal.SIGTERM)

    def quit_tree(self) -> None:
        self._end(signal.SIGQUIT)

    def _end(self, number: int) -> None:
        if tree := self._booted_tree():
            tree.may_end = True
            self._chance.choice([tree.signal, tree.signal_all])(number)

    def pause_tree(self) -> None:
        if tree := self._booted_tree():
            tree.signal(signal.SIGUSR2)
            self._later(0.1, 2, lambda: tree.signal(signal.SIGCONT))

    def renew_tree(self) -> None:
        if tree := self._booted_tree():
            tree.signal(signal.SIGHUP)

    def end_jobs(self) -> None:
        if tree := self._booted_tree():
            self._chance.choice([tree.signal, tree.signal_all])(signal.SIGUSR1)

    def write_stacks(self) -> None:
        if tree := self._booted_tree():
            tree.signal(signal.SIGTTIN)

    # People

    def pause_queue(self) -> None:
        queue = self._chance.choice(QUEUES)
        pause(queue)
        self._later(0.1, 1.5, lambda: resume(queue))

    def pause_all(self) -> None:
        self._site.client.set(KEYS.pause_all, "true")
        self._later(0.1, 1.5, lambda: self._site.client.delete(KEYS.pause_all))

    def retry_failures(self) -> None:
        for listed in failures.page(0, 10).failures:
            with suppress(InvalidPayload):
                retry_listed(listed)

    def remove_failure(self) -> None:
        """Remove one, which is noted before: then the job is neither lost nor anything else."""
        raw = self._site.client.lindex(KEYS.failed, 0)
        if raw:
            job = failure.Failure.parse(raw).job  # type: ignore[arg-type]
            if job:
                ledger.note(ledger.REMOVED, job.args[0])
            remove(raw)  # type: ignore[arg-type]

    def _tree(self) -> Tree:
        return self._chance.choice(self._site.trees)

    def _booted_tree(self) -> Tree | None:
        """Return a tree that hears signals, if the one of chance does."""
        tree = self._tree()
        return tree if tree.is_running and not tree.may_end and tree.is_booted() else None

    def _later(self, least: float, most: float, repair: Callable[[], object]) -> None:
        def insist() -> None:
            """Repair, or do it again as long as Redis is away."""
            try:
                repair()
            except (redis.RedisError, JobQueueError):
                self._schedule(0.2, insist)

        self._schedule(self._chance.uniform(least, most), insist)

    def _schedule(self, seconds: float, repair: Callable[[], None]) -> None:
        heapq.heappush(self._repairs, (time.monotonic() + seconds, next(self._numbers), repair))

    def _repair(self, until: float) -> None:
        while self._repairs and self._repairs[0][0] <= until:
            heapq.heappop(self._repairs)[2]()


def _kill(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
