"""What the figures are to reach, and whether they do."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from benchmarks.report import print_table


class Verdict(NamedTuple):
    """Whether a target is reached; medians decide."""

    target: str
    ours: str
    floor: str
    """What was measured beside ours in the same run, "" for a target that is a figure itself."""
    ratio: str
    is_reached: bool


def at_least(share: float, target: str, ours: Sequence[float], floor: Sequence[float]) -> Verdict:
    """Judge what may be below the floor, but not much: a rate. ``floor`` may be one figure that is set."""
    return _verdict(target, ours, floor, lambda ratio: ratio >= share)


def at_most(times: float, target: str, ours: Sequence[float], floor: Sequence[float]) -> Verdict:
    """Judge what may be above the floor, but not much: a time or a size."""
    return _verdict(target, ours, floor, lambda ratio: ratio <= times)


def print_verdicts(verdicts: Iterable[Verdict]) -> None:
    print_table(
        ["target", "ours", "beside it", "ratio", "reached"],
        [
            [each.target, each.ours, each.floor, each.ratio, "yes" if each.is_reached else "**no**"]
            for each in verdicts
        ],
    )


def _verdict(
    target: str, ours: Sequence[float], floor: Sequence[float], is_good: Callable[[float], bool]
) -> Verdict:
    mine, other = statistics.median(ours), statistics.median(floor)
    ratio = mine / other
    return Verdict(target, _short(mine), _short(other), f"{ratio:.2f}", is_good(ratio))


def _short(value: float) -> str:
    """Write a figure with three digits that count."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"
