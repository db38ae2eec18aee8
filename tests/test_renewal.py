from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace

import pytest

from jobqueue import renewal as module
from jobqueue.memoryfile import memory_file
from jobqueue.renewal import Inherited, Renewal
from jobqueue.slot import Slot
from tests.process.conftest import wait_for


@pytest.fixture
def renewal():
    renewal = Renewal()
    yield renewal
    renewal.close()


def tried(renewal, program):
    """Let a program be tried, and return whether it is due."""
    renewal._command = [sys.executable, "-c", program]
    renewal.begin()
    wait_for(lambda: renewal._trial.is_over())
    return renewal.is_due()


@pytest.fixture
def started(monkeypatch):
    """Return the environment of the program that is started; this one goes on."""
    started = {}

    def execve(path, command, environ):
        started.update(environ)

    monkeypatch.setattr(module, "os", SimpleNamespace(**{**vars(os), "execve": execve}))
    return started


def worker(pid=7):
    return Slot(pid=pid, worker_id=f"host:{pid}:work", started_at=12.5)


def test_nothing_is_due_unless_it_was_asked_for(renewal):
    assert not renewal.is_due()


def test_code_that_starts_is_due_once(renewal):
    assert tried(renewal, "pass")
    assert not renewal.is_due()


def test_the_trial_knows_that_it_is_one(renewal):
    assert tried(renewal, f"import os; raise SystemExit(os.environ.get({module.TRIAL_VARIABLE!r}) != '1')")


def test_code_that_does_not_start_is_told_with_its_last_words(renewal, caplog):
    assert not tried(renewal, "print('!' * 10_000, 'and so it ends'); raise SystemExit(3)")

    (message,) = caplog.messages
    assert message.startswith("the new code does not start, so the old one goes on: exit status 3:\n!!!")
    assert message.endswith("and so it ends\n")
    assert len(message) < 5000


def test_code_that_takes_too_long_is_given_up(renewal, monkeypatch, caplog):
    monkeypatch.setattr(module, "TRIAL_SECONDS", 0.0)

    assert not tried(renewal, "import time; time.sleep(600)")

    assert "it has not started within 0 s" in caplog.text


def test_while_code_is_tried_nothing_is_due_and_no_other_trial_begins(renewal):
    renewal._command = [sys.executable, "-c", "import time; time.sleep(600)"]
    renewal.begin()
    trial = renewal._trial

    renewal.begin()

    assert renewal._trial is trial
    assert not renewal.is_due()


def test_a_directory_that_is_gone_changes_nothing(renewal, caplog):
    renewal._directory = "/none"
    before = len(os.listdir("/dev/fd"))

    renewal.begin()

    assert not renewal.is_due()
    assert len(os.listdir("/dev/fd")) == before
    assert "cannot be started anew, so nothing changes: [Errno 2] No such file or directory" in caplog.text


def test_a_system_that_refuses_changes_nothing(renewal, monkeypatch, caplog):
    renewal._directory = "/none"
    slot = worker()

    renewal.execute(Inherited([slot], False, None))

    assert not os.get_inheritable(slot.page.fd)
    assert "cannot be started anew, so nothing changes: [Errno 2]" in caplog.text


@pytest.mark.parametrize("is_paused", [True, False])
def test_the_next_program_takes_over_the_workers(renewal, started, monkeypatch, is_paused):
    slot = worker()
    slot.page.run = "abc"
    os.write(slot.stacks.fd, b"stacks")
    guardian = memory_file("guardian")

    renewal.execute(Inherited([slot], is_paused, (8, guardian)))
    assert os.get_inheritable(slot.page.fd) and os.get_inheritable(guardian)
    told = json.loads(started[module.WORKERS_VARIABLE])
    for file in ("page", "stacks"):
        told["workers"][0][file] = os.dup(told["workers"][0][file])
    monkeypatch.setenv(module.WORKERS_VARIABLE, json.dumps(told))
    ((taken,), was_paused, handle) = module.inherited()

    assert (taken.pid, taken.worker_id, taken.started_at) == (7, "host:7:work", 12.5)
    assert (taken.page.run, was_paused) == ("abc", is_paused)
    assert handle == (8, guardian)
    assert not os.get_inheritable(taken.page.fd) and not os.get_inheritable(guardian)
    assert taken.stacks.take() or taken.stacks.take() == "stacks"
    assert module.WORKERS_VARIABLE not in os.environ
    os.close(guardian)


def test_a_program_that_follows_none_takes_nothing():
    assert module.inherited() == ([], False, None)


def test_what_is_meant_for_another_process_is_left_alone(monkeypatch):
    told = {"supervisor": os.getpid() + 1, "is_paused": True, "workers": [{"pid": 1}]}
    monkeypatch.setenv(module.WORKERS_VARIABLE, json.dumps(told))

    assert module.inherited() == ([], False, None)


def test_the_directory_is_known_by_the_name_that_led_to_it(tmp_path, monkeypatch):
    (tmp_path / "one").mkdir()
    (tmp_path / "current").symlink_to("one")
    monkeypatch.chdir(tmp_path / "current")

    monkeypatch.setenv("PWD", str(tmp_path / "current"))
    assert Renewal()._directory == str(tmp_path / "current")

    for stale in ("/none", "/", ""):
        monkeypatch.setenv("PWD", stale)
        assert Renewal()._directory == str(tmp_path / "one")
