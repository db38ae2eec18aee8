"""How the figures are shown: medians with their spread, and all that they depend on, in Markdown."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PACKAGES = ("Django", "redis", "hiredis")


def in_turns(rounds: int, measures: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Take each measure once a round, so that what disturbs the machine for a while disturbs them alike."""
    taken: dict[str, list[T]] = {name: [] for name in measures}
    for round in range(rounds):
        for name, measure in measures.items():
            print(f"round {round + 1}/{rounds}: {name}", file=sys.stderr)
            taken[name].append(measure())
    return taken


def us_each(function: Callable[[T], object], items: Sequence[T]) -> float:
    """Return the microseconds that a call takes with each of the items, loop included."""
    began = time.perf_counter()
    deque(map(function, items), maxlen=0)
    return (time.perf_counter() - began) / len(items) * 1e6


def figure(values: Sequence[float], digits: int = 0) -> str:
    """Return ``median (least to greatest)``."""
    low, middle, high = (
        f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low} to {high})"


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print()
    for row in (heads, ["---"] + ["---:"] * (len(heads) - 1), *rows):
        print(f"| {' | '.join(row)} |")
    print()


def print_machine(redis_version: str, append_only: str) -> None:
    """Print what the figures depend on. Call it again at the end: other load shows in the second line."""
    print(f"- Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    print(f"- Versions: Python {platform.python_version()}, {', '.join(_packages())}, Redis {redis_version}")
    print(f"- Redis: on this machine, over a unix socket, append-only file {append_only}")
    print_load("start")


def print_load(moment: str) -> None:
    print(f"- Load average of the last minute at the {moment}: {os.getloadavg()[0]:.1f}")


def _packages() -> list[str]:
    return [f"{name} {version(name)}" for name in PACKAGES]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
