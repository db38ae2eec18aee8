from __future__ import annotations

from pathlib import Path

import pytest

from jobqueue import memory


@pytest.fixture(params=["linux", "elsewhere"])
def system(request, monkeypatch):
    """Ask Linux's way, and by the program that every Unix has."""
    if request.param == "elsewhere":
        monkeypatch.setattr(memory, "_STATM", Path("/none"))


@pytest.mark.usefixtures("system")
def test_memory_that_is_taken_counts_and_what_is_given_back_does_not():
    before = memory.resident_mb()
    taken = b"!" * 100_000_000

    assert 80 < memory.resident_mb() - before < 120

    del taken
    assert memory.resident_mb() - before < 20
