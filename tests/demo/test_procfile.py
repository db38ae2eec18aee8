"""``honcho start`` runs the whole demo, and Ctrl-C stops it without losing a job."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.demosite import ROOT, DemoSite

pytestmark = pytest.mark.process

BIN = Path(sys.executable).parent
SLEEPING = b'{"class":"demo_blog.jobs.sleep","args":[30]}'


@pytest.fixture
def site() -> Iterator[DemoSite]:
    # Not pytest's own folders: their paths can be too long for a unix socket.
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-demo-"))
    site = DemoSite(folder)
    site.redis.start()
    subprocess.run(site.manage("migrate", "-v0"), env=site.environment, cwd=ROOT, check=True)
    yield site
    site.redis.kill()
    shutil.rmtree(folder)


@pytest.fixture
def honcho(site: DemoSite) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> subprocess.Popen[bytes]:
        environment = {**site.environment, "PATH": f"{BIN}:{os.environ['PATH']}"}
        with (site.folder / "honcho.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    [BIN / "honcho", "start", *options],
                    cwd=ROOT,
                    env=environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        sys.stdout.write((site.folder / "honcho.log").read_text()[-4000:])


def wait_for(condition: Callable[[], Any], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize(("options", "workers"), [((), 2), (("-c", "worker=2"), 4)])
def test_honcho_starts_everything_and_ctrl_c_stops_it_without_loss(
    site: DemoSite,
    honcho: Callable[..., subprocess.Popen[bytes]],
    options: tuple[str, ...],
    workers: int,
) -> None:
    with site.redis.client() as redis:
        process = honcho(*options)
        wait_for(lambda: redis.scard("resque:workers") == workers and site.answers())
        redis.sadd("resque:queues", "try")
        redis.rpush("resque:queue:try", *[SLEEPING] * 5)
        wait_for(lambda: redis.lrange("resque:queue:try", 0, -1) == [SLEEPING] * (5 - workers))

        process.send_signal(signal.SIGINT)
        process.wait(10)

        assert redis.scard("resque:workers") == 0
        assert redis.keys("resque:inflight:*") == []
        assert redis.lrange("resque:queue:try", 0, -1) == [SLEEPING] * 5
        assert redis.llen("resque:failed") == 0
