from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from jobqueue import reloading
from jobqueue.management.commands import jobworker
from jobqueue.patterns import QueueList


@pytest.fixture(autouse=True)
def log(monkeypatch):
    """Keep what the command does to the logger from the other tests."""
    log = logging.getLogger("jobqueue")
    level = log.level
    yield log
    log.setLevel(level)


@pytest.fixture
def supervised(monkeypatch):
    """Return what supervisors were asked for, none of which runs; with what stood in the pidfile."""
    supervised = []

    class Supervisor:
        def __init__(self, options):
            self.options = options

        def run(self):
            path = self.options.pidfile
            supervised.append((self.options, Path(path).read_text() if path else ""))

    monkeypatch.setattr(jobworker, "Supervisor", Supervisor)
    return supervised


def test_options_reach_the_supervisor(supervised):
    asked = ["--queues", "high,low", "--count", "3", "--jobs-per-fork", "2", "--interval", "0.5"]
    call_command("jobworker", *asked, "--burst", "--shutdown-timeout", "7")

    ((options, _),) = supervised
    assert options.queues == QueueList.parse("high,low")
    assert (options.count, options.jobs_per_fork, options.interval_seconds) == (3, 2, 0.5)
    assert (options.burst, options.stops.graceful.finish_seconds) == (True, 7.0)


def test_the_environment_is_asked_where_the_command_line_is_silent(supervised, monkeypatch):
    monkeypatch.setenv("QUEUE", "mail")
    monkeypatch.setenv("COUNT", "4")

    call_command("jobworker")

    ((options, _),) = supervised
    assert (options.queues.label, options.count) == ("mail", 4)


def test_the_pidfile_stands_while_the_supervisor_runs(supervised, tmp_path):
    path = tmp_path / "worker.pid"

    call_command("jobworker", "--queues", "q", "--pidfile", str(path))

    assert supervised[0][1] == str(os.getpid())
    assert not path.exists()


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (["--queues", "!low"], "'!low' names no queue to look at"),
        (["--queues", "q", "--count", "0"], "--count is 0; it must be at least 1."),
    ],
)
def test_wrong_options_are_told_without_a_traceback(supervised, asked, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("jobworker", *asked)

    assert supervised == []


def test_an_address_that_is_none_is_told_without_a_traceback(supervised, settings):
    settings.JOBQUEUE_REDIS_URL = "http://localhost"

    with pytest.raises(CommandError, match="'http://localhost' is no address of a Redis"):
        call_command("jobworker", "--queues", "q", skip_checks=True)

    assert supervised == []


def test_a_pidfile_that_cannot_be_written_is_told_without_a_traceback(supervised, tmp_path):
    with pytest.raises(CommandError, match="none/pid' cannot be written: No such file or directory"):
        call_command("jobworker", "--queues", "q", "--pidfile", str(tmp_path / "none" / "pid"))

    assert supervised == []


def test_reloading_takes_the_supervisors_place(supervised, monkeypatch):
    timeouts = []
    monkeypatch.setattr(reloading, "run", timeouts.append)

    call_command("jobworker", "--queues", "q", "--reload", "--shutdown-timeout", "3")

    assert (timeouts, supervised) == ([7.0], [])


def test_verbosity_sets_the_level_of_the_log(supervised, log):
    call_command("jobworker", "--queues", "q", "--verbosity", "2")

    assert log.level == logging.DEBUG
