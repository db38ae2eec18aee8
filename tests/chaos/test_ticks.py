"""The append-only file tells of each tick, and of its job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobqueue.inspection.schedule import Fired
from jobqueue.link import Link
from jobqueue.payload import Job, encode
from jobqueue.store import schedule
from jobqueue.store.schedule import Made
from tests.chaos import ledger, ticks
from tests.chaos.accounts import draw_up
from tests.chaos.ticks import Tick
from tests.redisserver import RedisServer

WELL = [Tick(entry, float(second), "") for second in range(10, 20) for entry in ("tick", "lone_tick")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of its own that writes everything down."""
    server = RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    yield server
    server.kill()


def test_ticks_are_read_with_their_jobs(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REDIS_URL", server.url)
    monkeypatch.setenv(ledger.FOLDER, str(server.folder))
    link = Link()
    text = encode(Job("tick", [], id="abc"))
    schedule.begin(link, "tick", Fired(1000, "every 1s"))
    for moment, made in ((2000, Made("quick", text)), (2000, Made("quick", text)), (3000, Made("", b""))):
        schedule.fire(link, "tick", Fired(moment, "every 1s"), made, now_ms=0, config=b"")
    link.close()

    found = list(ticks.read(server.folder))

    assert found == [Tick("tick", 2.0, "tick-abc"), Tick("tick", 3.0, "")]
    ticks.note(found)
    assert draw_up([]).lost == ["tick-abc"]


def complaints(found: list[Tick], *calms: tuple[float, float]) -> list[str]:
    return list(ticks.complaints_of(found, calms))


def test_ticks_that_come_once_each_are_well():
    assert complaints(WELL, (11.5, 14.5), (15.2, 18.9)) == []


def test_a_tick_that_comes_twice_is_not():
    assert complaints([*WELL, WELL[2]]) == ["the tick of tick at 11.000 came 2 times"]


def test_ticks_that_are_missing_while_nothing_is_broken_are_told():
    found = [tick for tick in WELL if tick.entry == "lone_tick" or tick.at not in (12, 13)]
    assert complaints(found, (15.2, 18.9), (10.5, 13.5)) == ["1 ticks of tick are missing in rest 2"]
