"""Measure this library beside other queues, in turns on one Redis.

    python -m benchmarks.peers [NAME…] [--rounds 3] [--append-only everysec] [--write FOLDER]
                                [--parts throughput memory kills] [--kinds noop cpu sleep]

A NAME is a part of a queue's name. The result is Markdown on the standard output.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.ground import APPEND_ONLY
from benchmarks.peers import plots
from benchmarks.peers.idlememory import print_memory
from benchmarks.peers.kills import print_kills
from benchmarks.peers.queues import Peer, peers
from benchmarks.peers.site import Stalled, site
from benchmarks.report import figure, in_turns, print_load, print_machine, print_table
from tests.redisserver import RedisServer, free_port

PARTS = ("throughput", "memory", "kills")
KINDS = ("noop", "cpu", "sleep")
WARM = 0.1
"""The first part of the jobs is not timed: workers need seconds to start."""
METHOD = """\
The jobs stand in the queue before the workers start: two processes each, each with the concurrency that
it has by default. The other workers do not load Django, but for django-q2; this library's do. A no-op
job writes one byte into a file; the others compute for 1 ms, or sleep for 10 ms, before. The rate is
that from the moment when a tenth of the jobs were done to the last. Beside it the settings that are not
the defaults.
"""


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="jobqueue-peers-") as folder:
        port = free_port()
        server = RedisServer(Path(folder), "--port", str(port), *APPEND_ONLY[options.append_only])
        server.start()
        try:
            _measure(options, f"redis://127.0.0.1:{port}/0", Path(folder), server)
        finally:
            server.kill()


def _measure(options: argparse.Namespace, url: str, folder: Path, server: RedisServer) -> None:
    with server.client() as client:
        print_machine(str(client.info("server")["redis_version"]), options.append_only)
    chosen = [
        peer for peer in peers(url) if not options.names or any(name in peer.name for name in options.names)
    ]
    there = [peer for peer in chosen if peer.version]
    for peer in chosen:
        if peer not in there:
            print(f"- {peer.name} is not installed here, and left out")
    if "throughput" in options.parts:
        print(f"\n## Throughput beside other queues, jobs/s\n\n{METHOD}")
        rates = _print_rates(there, options.kinds, url, folder, options.rounds)
        if options.write:
            plots.write(options.write, rates)
    if "memory" in options.parts:
        print_memory(there, url, folder, options.rounds)
    if "kills" in options.parts:
        print_kills(there, url, folder)
    print_load("end")


def _print_rates(
    chosen: list[Peer], kinds: Sequence[str], url: str, folder: Path, rounds: int
) -> dict[str, dict[str, list[float]]]:
    measures = {
        (peer.name, kind): partial(rate, peer, kind, url, folder / f"{number}-{kind}")
        for number, peer in enumerate(chosen)
        for kind in kinds
    }
    named = {f"{name}: {kind}": measure for (name, kind), measure in measures.items()}
    taken = dict(zip(measures, in_turns(rounds, named).values(), strict=True))
    print_table(
        ["", "version", *kinds, "settings"],
        [
            [peer.name, peer.version, *(_shown(taken[peer.name, kind]) for kind in kinds), peer.told]
            for peer in chosen
        ],
    )
    return {peer.name: {kind: taken[peer.name, kind] for kind in kinds} for peer in chosen}


def _shown(rates: list[float]) -> str:
    return figure(rates) if min(rates) > 0 else "stalled"


def rate(peer: Peer, kind: str, url: str, folder: Path) -> float:
    """Return how many jobs of a kind a queue performs in a second; 0 if it does not perform all."""
    count = peer.jobs[kind]
    with site(peer, url, folder) as queue:
        queue.enqueue(kind, count)
        queue.start()
        try:
            queue.wait_for(lambda: queue.size >= count * WARM)
            began, done = time.monotonic(), queue.size
            queue.wait_for(lambda: queue.size >= count)
        except Stalled:
            return 0.0
        return (count - done) / (time.monotonic() - began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of queues' names; else all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write JSON and SVG there, too")
    parser.add_argument("--append-only", choices=APPEND_ONLY, default="off")
    parser.add_argument(
        "--kinds", nargs="+", choices=KINDS, default=KINDS, help="of jobs, for the throughput"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="all if none is named")
    return parser.parse_args()


if __name__ == "__main__":
    main()
