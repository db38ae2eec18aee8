"""How many of many idle workers wake up when one job arrives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.ground import Ground, jobworker, processes
from benchmarks.jobs import TIMES, tell_time
from benchmarks.processes import switches, workers_of
from benchmarks.report import percentile, print_table
from benchmarks.targets import at_most, print_verdicts

WORKERS = 200
SAMPLES = 50
REST_SECONDS = 0.1
"""How long after a job its worker goes back to its doorbell."""
METHOD = """\
{workers} worker processes of one supervisor wait on one queue, with `--interval 600`, so that none looks by
itself meanwhile. {samples} times one job arrives. A worker has woken if its threads were on or off a
processor in the time; the claims are what MONITOR shows.
"""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    woken, claims, latencies = measure(ground)
    print(f"## A crowd of idle workers\n\n{METHOD.format(workers=WORKERS, samples=SAMPLES)}")
    rows = [
        [name, f"{percentile(each, 50):.3g}", f"{max(each):.3g}"]
        for name, each in (
            ("workers that woke", woken),
            ("workers that asked Redis for jobs", claims),
            ("ms from before `enqueue()` to the first line", latencies),
        )
    ]
    print_table(["for one job", "median", "most"], rows)
    print_verdicts(
        [
            at_most(1, "one job wakes one worker: the most that woke", [max(woken)], [1]),
            at_most(1, "and one asks: the most that asked", [max(claims)], [1]),
        ]
    )


def measure(ground: Ground) -> tuple[list[float], list[float], list[float]]:
    """Return, for each job, how many workers woke, how many asked for jobs, and the milliseconds."""
    woken: list[float] = []
    claims: list[float] = []
    latencies: list[float] = []
    with crowd(ground) as pids:
        for _ in range(SAMPLES):
            before = {pid: switches(pid) for pid in pids}
            with ground.redis.monitor() as monitor:
                began = time.perf_counter_ns()
                tell_time.enqueue()
                latencies.append((ground.noted(TIMES) - began) / 1e6)
                time.sleep(REST_SECONDS)
                ground.redis.echo("over")
                asking = 0
                while (seen := monitor.next_command()["command"]) != "ECHO over":
                    asking += seen.startswith("BLPOP")
            claims.append(asking)
            woken.append(sum(switches(pid) != before[pid] for pid in pids))
    return woken, claims, latencies


@contextmanager
def crowd(ground: Ground) -> Iterator[list[int]]:
    """Run the workers, and yield their pids once all of them wait."""
    ground.empty()
    with processes([jobworker(WORKERS, "--interval", "600")]) as (supervisor,):
        ground.wait_for_idle(WORKERS)
        time.sleep(1)
        yield workers_of(supervisor)
