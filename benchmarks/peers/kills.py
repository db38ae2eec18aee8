"""What a kill -9 in the midst of the work does to the jobs of each queue."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

from benchmarks.peers.queues import Peer
from benchmarks.peers.site import Site, Stalled, site
from benchmarks.report import print_table

JOBS = 300
SETTLE_SECONDS = 1.0
QUIET_SECONDS = 20.0
"""Longer than any of the timeouts that were set for recovery."""
METHOD = """\
{jobs} jobs that sleep for 10 ms and tell in a file that they began, and that they ended. When a third
have ended, either one process that performs a job is killed with `kill -9`, or all processes; what does
not start anew by itself is started. Not ended are the jobs that have not when nothing has happened for
{seconds:g} s. The times after which queues take others for dead were set to about 6 s where they can
be; RQ looks for jobs of dead workers every ten minutes only, and would list them as failed then. With
this library a job whose process was killed while it ran fails at once and stands under Failed, unless
it is defined with `on_crash="retry"`.
"""


def print_kills(chosen: list[Peer], url: str, folder: Path) -> None:
    print(f"## What a kill -9 does\n\n{METHOD.format(jobs=JOBS, seconds=QUIET_SECONDS)}")
    rows = []
    for number, peer in enumerate(chosen):
        print(f"kill -9: {peer.name}", file=sys.stderr)
        one = _experiment(peer, url, folder / f"kill-{number}-one", _kill_one)
        all_ = _experiment(peer, url, folder / f"kill-{number}-all", Site.kill)
        rows.append([peer.name, *one, *all_])
    heads = ["", "one killed: not ended", "of these failed visibly", "ended twice"]
    print_table([*heads, "all killed: not ended", "of these failed visibly", "ended twice"], rows)


def _experiment(peer: Peer, url: str, folder: Path, kill: Callable[[Site], None]) -> list[str]:
    with site(peer, url, folder) as queue:
        queue.enqueue("tell", JOBS)
        queue.start()
        try:
            queue.wait_for(lambda: len(_ended(queue)) >= JOBS // 3)
            kill(queue)
            queue.restart()
            queue.wait_for(lambda: len(_ended(queue)) == JOBS, QUIET_SECONDS)
        except Stalled:
            pass
        ended = _ended(queue)
        visible = _failed(peer, url)
    return [str(JOBS - len(ended)), visible, str(sum(times > 1 for times in ended.values()))]


def _kill_one(queue: Site) -> None:
    while not (pid := queue.busy()):
        pass
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    # Whoever has started it needs a moment to see that
    time.sleep(SETTLE_SECONDS)


def _ended(queue: Site) -> Counter[str]:
    return Counter(
        line.split()[1] for line in queue.lines() if line.startswith("ended ") and line[6:].isdigit()
    )


def _failed(peer: Peer, url: str) -> str:
    """Return how many jobs are listed as failed, where there is such a list."""
    lists = {
        "this library": "resque:failed",
        "RQ": "rq:failed:work",
        "Sidekiq": "dead",
        "Dramatiq": "dramatiq:default.XQ.msgs",
    }
    key = next((key for name, key in lists.items() if peer.name.startswith(name)), "")
    if not key:
        return "–"
    with redis.Redis.from_url(url) as client:
        count = {"list": client.llen, "zset": client.zcard, "hash": client.hlen}.get(
            client.type(key).decode()
        )
        return str(count(key)) if count else "0"
