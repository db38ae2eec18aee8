"""All that the monkey can do to a site. Each method is one fault; what it breaks for a while is repaired."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from tests.chaos.people import Missed, People
from tests.chaos.site import Tree
from tests.tcpproxy import TcpProxy

LOOKING_SECONDS = 5.0


class Faults(People):
    """What can be done to a site."""

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

    def kill_guardian(self) -> None:
        _kill(self._one(self._booted_tree().guardians()), signal.SIGKILL)

    def kill_scheduler(self) -> None:
        _kill(self._one(self._booted_tree().schedulers()), signal.SIGKILL)

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

    def freeze_scheduler(self) -> None:
        """For as long as others bring what is due, and then perhaps in the midst of bringing it."""
        self._freeze_one(self._one(self._booted_tree().schedulers()), 0.1, 6)

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
        for proxy in self._network():
            proxy.cut()

    def cut_in_reply(self) -> None:
        """Lose an answer to a producer, and one to somebody else."""
        for proxy in {*self._network(), self._site.proxies[-1]}:
            proxy.cut_in_reply(self.chance.choice([0, 0, 1, 5, 100]))

    def delay_replies(self) -> None:
        self._delay("delay_seconds", [0.002, 0.02, 0.3, 0.7])

    def delay_requests(self) -> None:
        self._delay("request_delay_seconds", [0.02, 0.3, 0.7, 1.2])

    def _delay(self, what: str, seconds: Sequence[float]) -> None:
        for proxy in self._network():
            setattr(proxy, what, self.chance.choice(seconds))
            self._later(0.2, 1.5, partial(setattr, proxy, what, 0.0))

    def refuse_connections(self) -> None:
        for proxy in self._network():
            proxy.refuse()
            self._later(0.2, 1.5, proxy.accept)

    def _network(self) -> list[TcpProxy]:
        """Return one way to Redis, or all of them."""
        proxies = self._site.proxies
        return self.chance.choice([*([proxy] for proxy in proxies), proxies])

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
        _kill(self._one(self._booted_tree().workers()), signal.SIGTERM)

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
        _kill(self._one(self._booted_tree().workers()), signal.SIGUSR1)

    def write_stacks(self) -> None:
        self._booted_tree().signal(signal.SIGTTIN)

    # Whom to do it to

    def _tree(self) -> Tree:
        return self.chance.choice(self._site.trees)

    def _booted_tree(self) -> Tree:
        """Return a tree that hears signals; wait a little for one."""
        deadline = time.monotonic() + LOOKING_SECONDS
        while not (found := [tree for tree in self._site.trees if tree.hears()]):
            if time.monotonic() > deadline:
                raise Missed
            self._site.revive()
            time.sleep(0.05)
        return self._one(found)

    def _worker(self) -> int:
        return self._one(self._site.worker_pids())


def _kill(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
