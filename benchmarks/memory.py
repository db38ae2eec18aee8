"""What an idle tree of processes holds in memory, beside one plain Django process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from benchmarks.ground import ROOT, Ground, jobworker, processes
from benchmarks.processes import by_kind, pss, tree, tree_pss
from benchmarks.report import figure, in_turns, print_table
from benchmarks.targets import at_most, print_verdicts

WORKERS = 2
MOST_TIMES = 1.6
SETTLED_SECONDS = 3
"""After the start; the first heartbeats and looks are over then."""
PLAIN = "one Django process that has set up the same site"
METHOD = """\
PSS of all processes together, {seconds} s after the workers have become idle: pages that several processes
share count once in the sum. The plain process has done `django.setup()` with the same settings.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    contenders: dict[str, Callable[[], dict[str, float]]] = {
        "plain": plain,
        "tree": partial(idle_tree, ground),
    }
    taken = in_turns(rounds, contenders)
    print(f"## Memory of the processes\n\n{METHOD.format(seconds=SETTLED_SECONDS)}")
    kinds = list(taken["tree"][0])
    rows = [[kind, figure([each[kind] for each in taken["tree"]], 1)] for kind in kinds]
    plain_mb = [each["whole"] for each in taken["plain"]]
    print_table(["", "PSS, MB"], [[PLAIN, figure(plain_mb, 1)], *rows])
    print_verdicts(
        [
            at_most(
                MOST_TIMES,
                f"{WORKERS} workers and a scheduler at most {MOST_TIMES} × a plain Django process",
                [each["the whole tree"] for each in taken["tree"]],
                plain_mb,
            )
        ]
    )


def plain() -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.floors", "plain_site", ""]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        used = pss(process.pid)
        process.terminate()
    return {"whole": used}


def idle_tree(ground: Ground) -> dict[str, float]:
    """Return the megabytes of each kind of process, and of all."""
    ground.empty()
    with processes([jobworker(WORKERS, scheduler=True)]) as (supervisor,):
        ground.wait_for_idle(WORKERS + 1)
        time.sleep(SETTLED_SECONDS)
        pids = tree(supervisor)
        kinds = by_kind(supervisor, ((pid, pss(pid)) for pid in pids))
        counts = Counter(by_kind(supervisor, ((pid, 1) for pid in pids)))
        return {
            **{f"{kind} × {counts[kind]:.0f}": used for kind, used in kinds.items()},
            "the whole tree": tree_pss(supervisor),
        }
