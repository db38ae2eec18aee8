"""A real Redis for every test: a private server, or the empty database that REDIS_URL names."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
import setproctitle

import jobhealth
from jobqueue import interruption as interrupting
from jobqueue import registry
from jobqueue.attention import HEARD, PASSED_ON, Attention
from jobqueue.exceptions import TermException
from jobqueue.interruption import END_SIGNAL, TIMEOUT_SIGNAL, Interruption
from jobqueue.link import Link
from jobqueue.redisbinary import find_binary
from jobqueue.sharedpage import SharedPage
from jobqueue.stopping import StopPlans
from tests.redisserver import RedisServer, free_port
from tests.sample import jobs

# It finds the place of titles at its first use, by the environment that this process began with
setproctitle.getproctitle()


def pytest_report_header() -> str:
    given = os.environ.get("REDIS_URL")
    return "redis: the one of REDIS_URL" if given else f"redis: {find_binary().path}"


def pytest_collection_finish() -> None:
    """Forget the recurring jobs of modules: each test has the schedule that it tells of."""
    for definition in registry.definitions():
        if definition.cron or definition.every:
            del registry._by_name[definition.name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write what is no UTF-8 in a test's output as escapes: reports of several processes travel as UTF-8."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[str]:
    """Point REDIS_URL at a Redis that belongs to this test run and yield its URL."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as servers:
        given = os.environ.get("REDIS_URL")
        url = servers.enter_context(_borrowed(given)) if given else servers.enter_context(_running()).url
        patch.delenv("REDIS_PROVIDER", raising=False)
        patch.setenv("REDIS_URL", url)
        yield url


@pytest.fixture(scope="session", autouse=True)
def health_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the signs of life of this run's supervisors from those of the machine."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("health")
        patch.setenv(jobhealth.FOLDER_VARIABLE, str(folder))
        yield folder


@pytest.fixture
def redis(redis_server: str) -> Iterator[redis_client.Redis]:
    """Yield a client of an emptied database; keys and values are bytes."""
    with redis_client.Redis.from_url(redis_server, protocol=2) as client:
        client.flushdb()
        yield client


@pytest.fixture
def redis_factory() -> Iterator[Callable[..., RedisServer]]:
    """Yield a function that starts one more server; its arguments are options of redis-server.

    ``binary`` names another program than the one that the tests run on.
    """
    with ExitStack() as servers:
        yield lambda *options, binary="": servers.enter_context(_running(*options, binary=binary))


@contextmanager
def _running(*options: str, binary: str = "") -> Iterator[RedisServer]:
    # Not pytest's own folders: their paths can be too long for a unix socket.
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-test-"))
    server = RedisServer(folder, *options, binary=binary)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


@contextmanager
def _borrowed(url: str) -> Iterator[str]:
    """Use a database of somebody else's server, which must be empty and is left empty."""
    with redis_client.Redis.from_url(url, protocol=2) as client:
        if client.dbsize():
            pytest.exit("The tests empty the database of REDIS_URL, and it holds keys: name another.", 4)
        yield url
        client.flushdb()


@pytest.fixture
def link(redis: redis_client.Redis) -> Iterator[Link]:
    """Yield a worker's connection to the emptied database."""
    link = Link()
    yield link
    link.close()


@pytest.fixture
def replica(
    request: pytest.FixtureRequest, redis_factory: Callable[..., RedisServer], settings: Any
) -> RedisServer:
    """Point the settings at a server of its own, and return its replica, which has all that it has.

    A parameter names the program of both.
    """
    port, binary = free_port(), getattr(request, "param", "")
    master = redis_factory("--port", str(port), binary=binary)
    settings.JOBQUEUE_REDIS_URL = master.url
    copies = ["--port", str(free_port()), "--replicaof", "127.0.0.1", str(port)]
    replica = redis_factory(*copies, binary=binary)
    replica.wait_for_master()
    return replica


@pytest.fixture
def demoted(
    redis_factory: Callable[..., RedisServer], tmp_path: Path, settings: Any
) -> Callable[[], redis_client.Redis]:
    """Let a name lead to a server; return a function that demotes it and lets the name lead to another."""
    old, new = redis_factory(), redis_factory()
    name = tmp_path / "redis.sock"
    name.symlink_to(old.path)
    settings.JOBQUEUE_REDIS_URL = f"unix://{name}"

    def demote() -> redis_client.Redis:
        with old.client() as client:
            client.replicaof("127.0.0.1", "1")
        name.unlink()
        name.symlink_to(new.path)
        return new.client()

    return demote


@pytest.fixture
def attention() -> Iterator[Attention]:
    """Yield what notes the signals to this process; pytest gets its own handlers back."""
    before = {number: signal.getsignal(number) for number in (*HEARD, *PASSED_ON)}
    attention = Attention(StopPlans())
    yield attention
    attention.close()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def page() -> Iterator[SharedPage]:
    """Yield the page of a worker."""
    page = SharedPage()
    yield page
    page.close()


@pytest.fixture
def interruption(page: SharedPage) -> Iterator[Interruption]:
    """Yield what interrupts jobs of this process; pytest gets its own handlers and timer back."""
    ours = interrupting.interruption
    before, kept = {each: signal.getsignal(each) for each in (END_SIGNAL, TIMEOUT_SIGNAL)}, dict(vars(ours))
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    ours.listen(lambda: TermException("SIGTERM"))
    ours.keep_timeouts(page.lanes[0], None)
    yield ours
    for number, handler in before.items():
        signal.signal(number, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)
    vars(ours).update(kept)


@pytest.fixture
def done() -> list[tuple[Any, ...]]:
    """Return the list of what the sample jobs did, empty at first; no sample hook vetoes or fails."""
    jobs.done.clear()
    jobs.Hooked.vetoes, jobs.Hooked.broken = set(), set()
    return jobs.done


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after the test which jobs it has defined."""
    monkeypatch.setattr(registry, "_by_name", dict(registry._by_name))
    monkeypatch.setattr(registry, "_by_owner", dict(registry._by_owner))


@pytest.fixture
def own_title() -> Iterator[None]:
    """Give this process its title back after the test."""
    before = setproctitle.getproctitle()
    yield
    setproctitle.setproctitle(before)
