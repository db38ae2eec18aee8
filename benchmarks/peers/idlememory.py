"""What the processes of each queue hold in memory while they wait for jobs."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.peers.queues import Peer
from benchmarks.peers.site import site
from benchmarks.processes import pss
from benchmarks.report import figure, in_turns, print_table

JOBS = 100
"""They are performed first: what is imported at the first job is there then."""
SETTLED_SECONDS = 3.0
METHOD = """\
PSS of all processes of a queue together, {seconds:g} s after {jobs} no-op jobs were performed. Pages that
several processes share count once in the sum. All but Sidekiq have loaded the same small Django site, since
their jobs are to be a site's.
"""


def print_memory(chosen: list[Peer], url: str, folder: Path, rounds: int) -> None:
    print(f"## Memory beside other queues\n\n{METHOD.format(seconds=SETTLED_SECONDS, jobs=JOBS)}")
    measures = {
        f"memory: {peer.name}": partial(_idle, peer, url, folder / f"memory-{number}")
        for number, peer in enumerate(chosen)
    }
    taken = in_turns(rounds, measures)
    heads = ["", "processes", "PSS, MB"]
    rows = [
        [name.removeprefix("memory: "), str(each[-1][0]), figure([megabytes for _, megabytes in each], 1)]
        for name, each in taken.items()
    ]
    print_table(heads, rows)


def _idle(peer: Peer, url: str, folder: Path) -> tuple[int, float]:
    """Return the number of a queue's processes, and what they hold."""
    with site(replace(peer, environ={**peer.environ, "BENCH_SITE": "1"}), url, folder) as queue:
        queue.enqueue("noop", JOBS)
        queue.start()
        queue.wait_for(lambda: queue.size >= JOBS)
        time.sleep(SETTLED_SECONDS)
        pids = queue.pids()
        return len(pids), sum(map(pss, pids))
