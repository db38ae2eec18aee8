"""The account of the chaos run hides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as redis_client

from jobqueue.failure import Failure, entry, retried
from jobqueue.payload import Job, encode
from jobqueue.recovery import DIRTY_EXIT
from tests.chaos import ledger
from tests.chaos.accounts import Account, draw_up, life_of
from tests.chaos.jobs import REPEATED_BY_ITSELF
from tests.chaos.lives import read_lives
from tests.chaos.remains import failures, left_keys, odd_lines, wrong_counts


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ledger.FOLDER, str(tmp_path))
    return tmp_path


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets the time of what is noted from now on."""
    return lambda seconds: monkeypatch.setattr(ledger.time, "time", lambda: seconds)


def note(name: str, *books: str, kind: str = "work") -> None:
    for book in books:
        ledger.note(book, name, kind if book == ledger.TRIED else "")


def enqueued(name: str, *books: str, kind: str = "work") -> None:
    note(name, ledger.TRIED, ledger.ACKNOWLEDGED, *books, kind=kind)


def failed(name: str, exception: str = "ValueError") -> Failure:
    payload = encode(Job("tests.chaos.jobs.work", [name]))
    raw = entry(payload, exception=exception, error="", backtrace=[], worker="w", queue="quick")
    return Failure.parse(raw)


def account(*failed: Failure) -> Account:
    return draw_up(failed)


def test_a_job_that_has_done_its_work_or_failed_is_accounted_for():
    enqueued("a", ledger.BEGAN, ledger.ENDED)
    enqueued("b", ledger.BEGAN)
    drawn = account(failed("b"))

    assert str(drawn) == "enqueued: 2 performed: 1 repeated: 0 failed: 1 invented: 0 lost: 0"
    assert drawn.is_in_order


def test_a_job_that_is_nowhere_is_lost_though_it_has_begun():
    enqueued("a")
    enqueued("b", ledger.BEGAN)
    drawn = account()

    assert drawn.lost == ["a", "b"]
    assert not drawn.is_in_order


def test_a_job_that_was_never_acknowledged_may_be_there_or_not():
    note("a", ledger.TRIED)
    note("b", ledger.TRIED, ledger.BEGAN, ledger.ENDED)
    assert account().is_in_order


def test_an_attempt_after_a_failed_one_is_no_repetition(at):
    enqueued("a", kind="try_again")
    for moment, book in ((10, ledger.BEGAN), (10.5, ledger.AGAIN), (11, ledger.BEGAN), (12, ledger.BEGAN)):
        at(moment)
        note("a", book)

    life = read_lives([])["a"]

    assert list(life.repeats_within((9, 11.5))) == []
    assert list(life.repeats_within((9, 12.5))) == [(11, 0)]
    assert life.is_lost


def test_a_delayed_job_does_not_begin_before_its_moment(at):
    at(10)
    for name, moment in (("a", 9.9), ("b", 10.1)):
        ledger.note(ledger.DELAYED, name, f"{moment}")
        enqueued(name, ledger.BEGAN, ledger.ENDED)

    assert account().complaints == ["b began before its moment"]


def test_a_failure_that_was_retried_accounts_for_nothing():
    enqueued("a", ledger.BEGAN, ledger.RETRIED)
    assert account(Failure.parse(retried(failed("a").raw))).lost == ["a"]


def test_work_done_before_a_retry_does_not_account_for_what_was_retried(at):
    at(1.0)
    enqueued("a", ledger.BEGAN, ledger.ENDED)
    at(2.0)
    note("a", ledger.RETRIED)
    assert account().lost == ["a"]

    at(3.0)
    note("a", ledger.BEGAN, ledger.ENDED)
    assert account().is_in_order
    assert account().repeated == 0


def test_what_a_person_has_removed_is_accounted_for():
    enqueued("a")
    ledger.note(ledger.DEQUEUED, "a", "surely ")
    enqueued("b", ledger.BEGAN)
    ledger.note(ledger.REMOVED, "b", "perhaps raised")
    assert account().is_in_order


def test_what_a_person_may_have_removed_before_it_was_retried_is_no_account_of_it():
    enqueued("a", ledger.BEGAN)
    ledger.note(ledger.REMOVED, "a", "perhaps raised")
    ledger.note(ledger.RETRIED, "a")

    assert account().lost == ["a"]


def test_a_job_that_nobody_has_enqueued_is_invented():
    note("a", ledger.BEGAN, ledger.ENDED)
    drawn = account(failed("b"))

    assert drawn.invented == ["a", "b"]
    assert not drawn.is_in_order


def test_a_job_that_redis_is_said_not_to_have_is_invented_when_it_begins():
    note("a", ledger.TRIED, ledger.REFUSED)
    assert account().is_in_order

    note("a", ledger.BEGAN)
    assert account(failed("a")).invented == ["a"]


def test_a_job_that_begins_after_it_was_taken_out_of_its_queue_is_invented(at):
    at(1.0)
    enqueued("a")
    ledger.note(ledger.DEQUEUED, "a", "surely ")
    at(2.0)
    note("a", ledger.BEGAN, ledger.ENDED)
    assert account().invented == ["a"]


@pytest.mark.parametrize(
    ("kind", "times", "is_in_order"),
    [
        ("work", (11.0, 12.0), False),
        # Something was broken when it began first
        ("work", (9.0, 12.0), True),
        ("work", (11.0, 14.0), True),
        # It ends its process itself
        (REPEATED_BY_ITSELF, (11.0, 12.0), True),
    ],
)
def test_a_job_may_repeat_only_where_something_was_broken(at, monkeypatch, kind, times, is_in_order):
    at(8.0)
    enqueued("a", kind=kind)
    enqueued("b")
    for began in times:
        at(began)
        monkeypatch.setattr(ledger, "_pid", lambda: int(began))  # noqa: B023 - used at once
        note("a", ledger.BEGAN, ledger.ENDED)
    at(11.5)
    note("b", ledger.BEGAN, ledger.ENDED)
    at(13.0)
    ledger.note(ledger.CALMS, "rest", "10.000")

    assert account().repeated == 1
    assert account().is_in_order == is_in_order


def test_a_rest_in_which_no_job_begins_is_not_in_order(at):
    at(13.0)
    ledger.note(ledger.CALMS, "rest", "10.000")
    assert account().complaints == ["no job began in rest 1, while nothing was broken"]


def test_a_name_that_is_enqueued_twice_is_not_in_order():
    enqueued("a", ledger.BEGAN, ledger.ENDED)
    enqueued("a")
    assert account().complaints == ["a was enqueued twice: this run proves nothing"]


def test_the_life_of_a_job_is_told_from_all_books_and_logs(folder):
    enqueued("p0-1", ledger.BEGAN)
    enqueued("p0-12")
    (folder / "tree.log").write_text("failed: ['p0-1']\nfailed: ['p0-12']\n")
    told = life_of("p0-1", folder)

    assert [line.split()[:2] for line in told.splitlines()] == [
        ["acknowledged:", "p0-1"],
        ["began:", "p0-1"],
        ["tree.log:", "failed:"],
        ["tried:", "p0-1"],
    ]


def test_keys_that_nobody_needs_any_more_are_not_in_order(redis: redis_client.Redis):
    redis.sadd("resque:queues", "quick")
    redis.set("resque:sent:1", 1, ex=30)
    assert list(left_keys(redis)) == []

    redis.hset("resque:inflight:1", "1", "x")
    assert list(left_keys(redis)) == ["the key resque:inflight:1 was left behind"]


def test_counters_fit_what_has_happened(redis: redis_client.Redis):
    enqueued("a", ledger.BEGAN, ledger.ENDED)
    enqueued("b", ledger.BEGAN)
    enqueued("c", ledger.BEGAN)
    redis.rpush("resque:failed", failed("b").raw, failed("c", DIRTY_EXIT).raw)
    lives = read_lives(failures(redis))
    redis.mset({"resque:stat:processed": 3, "resque:stat:failed": 1})
    assert list(wrong_counts(redis, lives)) == []

    redis.mset({"resque:stat:processed": 0, "resque:stat:failed": 2})
    assert list(wrong_counts(redis, lives)) == [
        "2 jobs are counted as failed, and 1 to 1 have",
        "0 jobs are counted as processed, and 1 to 5 can have been",
    ]


def test_a_removed_failure_was_counted(redis: redis_client.Redis):
    enqueued("a", ledger.BEGAN)
    ledger.note(ledger.REMOVED, "a", "surely raised")
    redis.mset({"resque:stat:processed": 1, "resque:stat:failed": 1})
    assert list(wrong_counts(redis, read_lives([]))) == []


@pytest.mark.parametrize(
    "line",
    [
        "1.0 7 worker vm:7:quick broke",
        "Exception in thread watchdog:",
        "1.0 7 run x cannot be recovered: y",
    ],
)
def test_what_no_fault_excuses_is_not_in_order(folder, line):
    (folder / "tree-0.log").write_text(f"1.0 7 worker vm:7:quick started\n{line}\n")
    assert list(odd_lines(folder)) == [f"tree-0.log:2: {line}"]
