"""Jobs per second with a process for each, beside bare fork, _exit and waitpid."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial

from benchmarks.ground import ROOT, Ground
from benchmarks.report import figure, in_turns, print_table
from benchmarks.throughput import drain, ours

FORKS = 1000
METHOD = """\
{forks:,} no-op jobs with `--jobs-per-fork 1`, timed as under throughput. The bare loop forks, ends its
child at once and waits for it, in a process that has set up the same Django site.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    contenders: dict[str, Callable[[], float]] = {"bare fork, one process": bare}
    for count in (1, 2):
        contenders[f"jobworker --jobs-per-fork 1 --count {count}"] = partial(_rate, ground, count)
    rates = in_turns(rounds, contenders)
    print(f"## A process for each job\n\n{METHOD.format(forks=FORKS)}")
    print_table(
        ["", "jobs/s", "ms/job"],
        [[name, figure(each), figure([1000 / rate for rate in each], 2)] for name, each in rates.items()],
    )


def bare() -> float:
    command = [sys.executable, "-m", "benchmarks.floors", "fork", str(FORKS)]
    return 1e6 / float(subprocess.check_output(command, cwd=ROOT))


def _rate(ground: Ground, count: int) -> float:
    return drain(ground, ours(count, "--jobs-per-fork", "1"), FORKS).rate
