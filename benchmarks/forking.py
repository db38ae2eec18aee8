"""Jobs per second with a process for each, beside bare fork, _exit and waitpid."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial

from benchmarks.ground import ROOT, Ground
from benchmarks.report import figure, in_turns, print_table
from benchmarks.targets import at_least, print_verdicts
from benchmarks.throughput import drain, ours

FORKS = 1000
COUNTS = (1, 2)
LEAST_SHARE = 0.85
METHOD = """\
{forks:,} no-op jobs with `--jobs-per-fork 1`, timed as under throughput. The bare loop forks, ends its
child at once and waits for it, in a process that has set up the same Django site.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    contenders: dict[str, Callable[[], float]] = {}
    for count in COUNTS:
        contenders[_floor(count)] = partial(bare, count)
        contenders[_ours(count)] = partial(_rate, ground, count)
    rates = in_turns(rounds, contenders)
    print(f"## A process for each job\n\n{METHOD.format(forks=FORKS)}")
    print_table(
        ["", "jobs/s", "ms/job"],
        [[name, figure(each), figure([1000 / rate for rate in each], 2)] for name, each in rates.items()],
    )
    print_verdicts(
        at_least(
            LEAST_SHARE,
            f"workers: {count}: at least {LEAST_SHARE:.0%} of so many bare loops, jobs/s",
            rates[_ours(count)],
            rates[_floor(count)],
        )
        for count in COUNTS
    )


def _floor(count: int) -> str:
    return f"bare fork, processes: {count}"


def _ours(count: int) -> str:
    return f"jobworker --jobs-per-fork 1 --count {count}"


def bare(count: int) -> float:
    """Return the forks per second of so many processes side by side."""
    command = [sys.executable, "-m", "benchmarks.floors", "fork", str(FORKS)]
    loops = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(count)]
    return sum(1e6 / float(loop.communicate()[0]) for loop in loops)


def _rate(ground: Ground, count: int) -> float:
    return drain(ground, ours(count, "--jobs-per-fork", "1"), FORKS).rate
