"""A job may be performed twice only if something has happened to its first worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import ledger
from tests.chaos.lives import read_lives
from tests.chaos.repeats import unexplained

FIRST, SECOND = 101, 102


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ledger.FOLDER, str(tmp_path))
    return tmp_path


@pytest.fixture
def perform(monkeypatch: pytest.MonkeyPatch):
    """Return a function that lets a worker perform a job for half a second from a moment on."""

    def perform(name: str, pid: int, at: float) -> None:
        monkeypatch.setattr(ledger, "_pid", lambda: pid)
        for book, moment in ((ledger.BEGAN, at), (ledger.ENDED, at + 0.5)):
            monkeypatch.setattr("tests.chaos.ledger.time.time", lambda: moment)  # noqa: B023 - used at once
            ledger.note(book, name)

    return perform


def found() -> list[str]:
    return list(unexplained(read_lives([])))


def test_a_job_that_is_performed_once_needs_no_explanation(perform):
    perform("a", FIRST, 10)
    perform("b", FIRST, 11)
    assert found() == []


def test_a_worker_that_does_nothing_any_more_may_have_died(perform):
    perform("a", FIRST, 10)
    perform("a", SECOND, 15)
    assert found() == []


def test_a_worker_that_goes_on_has_no_excuse(perform):
    perform("a", FIRST, 10)
    perform("a", SECOND, 15)
    perform("b", FIRST, 16)
    assert found() == ["a"]


def test_one_worker_that_performs_a_job_twice_has_no_excuse(perform):
    perform("a", FIRST, 10)
    perform("a", FIRST, 11)
    assert found() == ["a"]


def test_a_worker_that_was_taken_for_dead_may_go_on(perform, folder: Path):
    perform("a", FIRST, 10)
    perform("a", SECOND, 15)
    line = f"15.700 {FIRST} worker host-0:{FIRST}:quick was taken for dead and begins anew; …\n"
    (folder / "tree-0.log").write_text(line)
    perform("b", FIRST, 16)
    assert found() == []


def test_a_worker_whose_run_was_taken_before_it_began_may_be_the_second(perform, folder: Path):
    perform("a", FIRST, 10)
    perform("a", SECOND, 15)
    perform("b", FIRST, 16)
    line = f"15.700 {SECOND} worker host-0:{SECOND}:quick was taken for dead and begins anew; …\n"
    (folder / "tree-0.log").write_text(line)
    assert found() == []


def test_a_pid_that_comes_again_much_later_is_another_process(perform):
    perform("a", FIRST, 10)
    perform("a", SECOND, 15)
    perform("b", FIRST, 60)
    assert found() == []


def test_a_job_that_was_retried_is_performed_again(perform):
    perform("a", FIRST, 10)
    ledger.note(ledger.RETRIED, "a")
    perform("a", SECOND, 15)
    perform("b", FIRST, 16)
    assert found() == []


def test_a_job_that_others_began_before_its_first_worker_ended_it_is_explained(perform):
    perform("a", FIRST, 10)
    perform("a", SECOND, 10.2)
    perform("b", FIRST, 11)
    assert found() == []
