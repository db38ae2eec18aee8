from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from jobqueue import reloading
from tests.process.conftest import state, wait_for

WAIT = [sys.executable, "-Sc", "import signal; signal.pause()"]
STUBBORN = [
    sys.executable,
    "-Suc",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); signal.pause()",
]


@pytest.fixture(autouse=True)
def own_signals():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGQUIT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def watched(monkeypatch):
    """Return a function that says what happens while each child runs, and the list of children."""
    children = []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            children.append(self)

    def let(*events):
        left = iter(events)
        monkeypatch.setattr(reloading.Watcher, "run_loop", lambda self: next(left)(self))
        monkeypatch.setattr(reloading.autoreload, "get_child_arguments", lambda: [*WAIT, "--reload"])
        monkeypatch.setattr(reloading.subprocess, "Popen", Popen)
        return children

    return let


def change(watcher):
    watcher.notify_file_changed("jobs.py")


def test_code_that_changes_starts_the_worker_again(watched, caplog):
    children = watched(change, change, lambda watcher: None)

    with caplog.at_level("INFO", "jobqueue"):
        reloading.run(5.0)

    assert [child.returncode for child in children] == [-signal.SIGTERM] * 3
    assert [child.args for child in children] == [WAIT] * 3
    assert caplog.messages == ["jobs.py changed, starting again"] * 2


def end(number):
    """Return what kills the worker; the watcher looks at it then, as it does once a second."""

    def event(watcher):
        watcher._child.send_signal(number)
        watcher._child.wait()
        watcher._look_at_child()

    return event


def test_a_worker_that_is_killed_is_started_again(watched, caplog):
    children = watched(end(signal.SIGKILL), lambda watcher: None)

    reloading.run(5.0)

    assert [child.returncode for child in children] == [-signal.SIGKILL, -signal.SIGTERM]
    assert caplog.messages == ["the supervisor was killed by signal 9, starting again"]


@pytest.mark.parametrize(("status", "complaints"), [(0, 0), (1, 1)])
def test_a_worker_that_ends_ends_the_watcher_unless_it_is_broken(monkeypatch, caplog, status, complaints):
    ticks = iter(range(3))
    monkeypatch.setattr(reloading.autoreload.StatReloader, "tick", lambda self: ticks)
    monkeypatch.setattr(
        reloading.autoreload,
        "get_child_arguments",
        lambda: [sys.executable, "-Sc", f"raise SystemExit({status})"],
    )
    monkeypatch.setattr(reloading.Watcher, "run_loop", lambda self: (self._child.wait(), list(self.tick())))

    reloading.run(5.0)

    assert (
        caplog.messages == ["the worker ended with status 1; it starts again when code changes"] * complaints
    )
    assert next(ticks, None) == (None if status else 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_a_signal_ends_the_worker_and_the_watcher(watched, number):
    children = watched(lambda watcher: os.kill(os.getpid(), number))

    reloading.run(5.0)

    assert [child.returncode for child in children] == [-signal.SIGTERM]


def test_a_worker_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(reloading, "GRACE_SECONDS", 0.05)
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as child:
        child.stdout.readline()

        reloading._end(child, 0.0)

    assert child.returncode == -signal.SIGKILL


def test_a_watcher_that_is_killed_takes_the_worker_with_it():
    reader, writer = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        try:
            child = subprocess.Popen(WAIT, preexec_fn=reloading._end_with_watcher)
            os.write(writer, b"%d" % child.pid)
            signal.pause()
        finally:
            os._exit(1)
    child = int(os.read(reader, 20))

    os.kill(watcher, signal.SIGKILL)
    os.waitpid(watcher, 0)

    wait_for(lambda: state(child) in ("", "Z"))
    for end in (reader, writer):
        os.close(end)
