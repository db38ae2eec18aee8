"""A job may be performed twice only if something has happened to its first worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import ledger
from tests.chaos.lives import read_lives
from tests.chaos.repeats import in_peace, unexplained

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


@pytest.mark.parametrize(("told", "unexplained"), [(16.6, []), (19.0, ["a"])])
def test_a_worker_learns_that_its_run_was_taken_once_its_batch_is_over(
    perform, folder: Path, told: float, unexplained: list[str]
):
    perform("a", FIRST, 10)
    perform("a", SECOND, 15)
    perform("b", FIRST, 16)
    line = f"{told} {FIRST} worker host-0:{FIRST}:quick was taken for dead and begins anew; …\n"
    (folder / "tree-0.log").write_text(line)
    assert found() == unexplained


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


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch):
    """Return a function that lets a worker begin a job at a moment, beside others or alone."""

    def begin(name: str, pid: int, at: float, remark: str = ledger.BESIDE) -> None:
        monkeypatch.setattr(ledger, "_pid", lambda: pid)
        monkeypatch.setattr("tests.chaos.ledger.time.time", lambda: at)
        ledger.note(ledger.BEGAN, name, remark)

    return begin


def began_twice(*calm: float) -> list[str]:
    return list(in_peace(read_lives([]), [(calm[0], calm[1])]))


def test_no_job_begins_twice_in_peace(begin):
    begin("a", FIRST, 10)
    begin("a", SECOND, 11)
    assert began_twice(9, 12) == ["a"]
    assert began_twice(10.5, 12) == []


def test_a_job_may_fall_with_another_that_ends_the_process_of_both(begin):
    ledger.note(ledger.TRIED, "b", "crash")
    begin("a", FIRST, 10)
    begin("b", FIRST, 10.1)
    begin("a", SECOND, 11)
    assert began_twice(9, 12) == []


@pytest.mark.parametrize(
    ("pid", "at", "remark"), [(SECOND, 10.1, ledger.BESIDE), (FIRST, 10.1, ""), (FIRST, 20, ledger.BESIDE)]
)
def test_a_job_cannot_fall_with_one_that_ran_elsewhere_or_later(begin, pid: int, at: float, remark: str):
    ledger.note(ledger.TRIED, "b", "crash")
    begin("a", FIRST, 10, remark)
    begin("b", pid, at, remark)
    begin("a", SECOND, 11)
    assert began_twice(9, 12) == ["a"]
