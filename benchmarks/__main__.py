"""Measure jobqueue on this machine, beside bare loops that do the least there is to do.

    python -m benchmarks [NAME…] [--rounds 3] [--jobs 100000] [--append-only everysec]

The result is Markdown on the standard output. Other programs that run meanwhile make it worse.
"""

from __future__ import annotations

import argparse
import os

import django

from benchmarks import (
    backlog,
    crashes,
    crowd,
    enqueueing,
    forking,
    idle,
    latency,
    memory,
    parts,
    queues,
    redisuse,
    scheduling,
    throughput,
)
from benchmarks.ground import APPEND_ONLY, ground
from benchmarks.report import print_load, print_machine

BENCHMARKS = {
    "throughput": throughput.run,
    "parts": parts.run,
    "enqueue": enqueueing.run,
    "latency": latency.run,
    "fork": forking.run,
    "idle": idle.run,
    "memory": memory.run,
    "redis": redisuse.run,
    "backlog": backlog.run,
    "queues": queues.run,
    "delayed": scheduling.run,
    "crowd": crowd.run,
    "crashes": crashes.run,
}


def main() -> None:
    options = _options()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    with ground(options.append_only) as where:
        django.setup()
        print_machine(where.redis_version, options.append_only)
        print(f"- Figures: the median of {options.rounds} rounds in turns (least to greatest)\n")
        for name in options.names or BENCHMARKS:
            BENCHMARKS[name](where, options.rounds, options.jobs)
        print_load("end")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)}; else all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=100_000, help="in the queue to be drained")
    parser.add_argument("--append-only", choices=APPEND_ONLY, default="off")
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    return options


if __name__ == "__main__":
    main()
