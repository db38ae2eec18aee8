"""One minute of chaos with a seed of its own, as everybody can run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.process.conftest import ROOT

LONGEST_SECONDS = 240


@pytest.mark.timeout(300)
def test_a_minute_of_chaos_loses_nothing() -> None:
    # Coverage would slow down processes of which most are killed before they write theirs
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos", "--minutes", "1", "--seed", "3"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        out, _ = run.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        # Killed, it would leave its processes behind
        run.terminate()
        out, _ = run.communicate()
    sys.stdout.write(out)

    *told, last = out.splitlines()
    faults = {name: int(times) for name, times in re.findall(r"^(\w+): (\d+)$", "\n".join(told), re.M)}
    numbers = re.fullmatch(
        r"enqueued: (\d+) performed: (\d+) repeated: \d+ failed: (\d+) invented: 0 lost: 0", last
    )
    assert numbers, last
    assert all(int(number) > 50 for number in numbers.groups())
    assert sum(faults.values()) > 50
    assert {"kill_redis", "kill_tree", "cut_in_reply", "fill_memory", "freeze_worker"} <= faults.keys()
    assert run.returncode == 0
