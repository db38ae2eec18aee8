"""What processes cost: memory, processor time, wake-ups, as Linux tells it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

SWITCHES = re.compile(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)
TITLES = {b"Guarding": "guardian", b"Scheduling": "scheduler"}
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def tree(pid: int) -> list[int]:
    """Return the pids of a process and of all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def tree_pss(pid: int) -> float:
    """Return the memory of a process and of all that descend from it, in MB.

    PSS: what several processes share counts in each by its part. So all that were started beside it, and
    share its program's files, make it smaller.
    """
    return sum(map(pss, tree(pid)))


def pss(pid: int) -> float:
    """Return the memory of one process, in MB."""
    found = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return int(found[1]) / 1024 if found else 0.0


def cpu_seconds(pid: int) -> float:
    """Return what a process has used of a processor so far, all its threads."""
    # Linux's clock of another process: see clock_getcpuclockid(3)
    return time.clock_gettime((~pid << 3) | 2)


def switches(pid: int) -> int:
    """Return how often the threads of a process have gone on or off a processor: none without a wake-up."""
    statuses = (task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/status"))
    return sum(int(count) for status in statuses for count in SWITCHES.findall(status))


def workers_of(supervisor: int) -> list[int]:
    """Return the pids of a supervisor's workers."""
    return [pid for pid in tree(supervisor)[1:] if kind(supervisor, pid) == "worker"]


def kind(supervisor: int, pid: int) -> str:
    """Tell what a process of a supervisor's tree is."""
    if pid == supervisor:
        return "supervisor"
    title = Path(f"/proc/{pid}/cmdline").read_bytes()
    return next((name for word, name in TITLES.items() if word in title), "worker")


def by_kind(supervisor: int, figures: Iterable[tuple[int, float]]) -> dict[str, float]:
    """Add up the figures of the processes of one kind."""
    sums: dict[str, float] = {}
    for pid, value in figures:
        name = kind(supervisor, pid)
        sums[name] = sums.get(name, 0.0) + value
    return sums
