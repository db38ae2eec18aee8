"""Draw what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "jobqueue"
mpl.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot  # noqa: E402 - after the choice of what it draws with

OURS, OTHERS = "#417690", "#b3c6cf"
"""The first is that of Django's admin."""


def write(folder: Path, rates: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Write the rates by name and kind of job as JSON, and draw those of no-op jobs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peers.json").write_text(json.dumps(rates, indent=2) + "\n")
    medians = sorted((median(kinds["noop"]), name) for name, kinds in rates.items())
    figure, axes = pyplot.subplots(figsize=(8, 0.4 * len(medians) + 0.8), layout="constrained")
    colours = [OURS if name.startswith("this library") else OTHERS for _, name in medians]
    bars = axes.barh([name for _, name in medians], [rate for rate, _ in medians], color=colours)
    axes.bar_label(bars, [f" {rate:,.0f}" for rate, _ in medians])
    axes.set_xscale("log")
    axes.set_xlabel("no-op jobs/s, two worker processes (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "peers.svg", metadata={"Date": None})
    pyplot.close(figure)
