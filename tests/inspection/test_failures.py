from __future__ import annotations

import pytest

from jobqueue.inspection import failures
from tests.goldenfiles import load


def entry(name: str, **fields: str) -> bytes:
    return b'{"failed_at":"","payload":{"class":"%s","args":[]},"worker":"","queue":"q"}' % name.encode()


def names(page: failures.FailurePage) -> list[str]:
    return [listed.job.name for listed in page.failures]


def test_rubys_failures_are_read_newest_first(redis):
    load(redis, "failure_list")

    page = failures.page(0, 20)

    assert page.count == failures.count() == 4
    assert names(page) == ["Missing::Report"] + ["BouncingEmailer"] * 3
    oldest = page.failures[-1].failure
    assert (oldest.exception, oldest.error) == ("ArgumentError", "cannot deliver to person0@example.com")
    assert oldest.backtrace == ["/app/jobs.rb:20:in `deliver'", "/app/jobs.rb:16:in `perform'"]
    assert (oldest.worker, oldest.queue) == ("vm:28432:emails,reports", "emails")
    assert [listed.failure.complaint for listed in page.failures] == [""] * 4


def test_rubys_mark_of_a_retry_is_read(redis):
    load(redis, "failure_retried")

    retried = [bool(listed.failure.retried_at) for listed in failures.page(0, 20).failures]

    assert retried == [False, False, True, False]


@pytest.mark.parametrize(
    "recording, exception",
    [
        ("child_killed", "Resque::DirtyExit"),
        ("heartbeat_expired_pruned", "Resque::PruneDeadWorkerDirtyExit"),
        ("worker_killed_pruned_by_next_on_same_host", "Resque::DirtyExit"),
        ("term_with_term_child", "Resque::TermException"),
        ("term_without_term_child", "Resque::DirtyExit"),
        ("failure_with_worker_in_new_york", "ArgumentError"),
    ],
)
def test_failures_of_rubys_dead_are_read(redis, recording, exception):
    load(redis, recording)

    [listed] = failures.page(0, 20).failures

    assert (listed.failure.exception, listed.failure.complaint) == (exception, "")
    assert listed.can_be_retried


@pytest.mark.parametrize(
    "start, found, lowest",
    [(0, ["J4", "J3"], 3), (2, ["J2", "J1"], 1), (4, ["J0"], 0), (6, [], None)],
)
def test_pages_know_the_index_of_every_entry(redis, start, found, lowest):
    redis.rpush("resque:failed", *[entry(f"J{n}") for n in range(5)])

    page = failures.page(start, 2)

    assert names(page) == found
    assert lowest is None or page.failures[-1].index == lowest


def test_a_search_holds_part_of_the_name_in_any_case(redis):
    redis.rpush("resque:failed", entry("Emailer"), entry("Report"), entry("blog.send_email"))

    page = failures.search("EMAIL", 20)

    assert names(page) == ["blog.send_email", "Emailer"]
    assert (page.looked_through, page.older) == (3, None)


def test_a_full_page_of_a_search_tells_where_to_go_on(redis):
    redis.rpush("resque:failed", *[entry(f"J{n}") for n in range(500)])

    first = failures.search("j", 20)
    second = failures.search("j", 20, first.older)

    assert names(first) + names(second) == [f"J{n}" for n in range(499, 459, -1)]


def test_a_search_looks_through_a_limited_number(redis):
    redis.rpush("resque:failed", entry("Old"), *[entry("New")] * (failures.LOOKED_THROUGH_AT_MOST + 100))

    page = failures.search("old", 20)

    assert names(page) == []
    assert page.looked_through == failures.LOOKED_THROUGH_AT_MOST
    assert names(failures.search("old", 20, page.older)) == ["Old"]


@pytest.mark.parametrize("seen_at", [5, 7, 900, 1200, 2**32])
def test_find_reaches_an_entry_wherever_it_is_now(redis, seen_at):
    redis.rpush("resque:failed", *[entry(f"J{n}") for n in range(1_000)])
    wanted = failures.Failure.parse(entry("J5")).digest

    assert failures.find(seen_at, wanted).index == 5


def test_find_reaches_an_entry_that_stands_higher_now(redis):
    redis.rpush("resque:failed", *[entry(f"J{n}") for n in range(1_000)])
    wanted = failures.Failure.parse(entry("J950")).digest

    assert failures.find(3, wanted).index == 950


def test_find_takes_the_entry_that_was_seen_of_two_equal_ones(redis):
    redis.rpush("resque:failed", entry("J"), entry("J"), entry("J"))

    assert failures.find(1, failures.Failure.parse(entry("J")).digest).index == 1


def test_find_of_an_entry_that_is_gone_is_none(redis):
    redis.rpush("resque:failed", entry("J"))

    assert failures.find(0, "0" * 40) is None
    assert failures.find(0, "") is None


def test_a_failed_key_that_is_no_list_is_complained_of(redis):
    redis.set("resque:failed", "no list")

    page = failures.page(0, 20)

    assert (page.count, page.failures, len(page.complaints)) == (0, [], 1)
    assert len(failures.search("x", 20).complaints) == 1


def test_broken_entries_are_shown_with_the_reason(redis):
    redis.rpush("resque:failed", b"\xff", b"[]", b'{"payload":null}')

    page = failures.page(0, 20)

    assert all(listed.failure.complaint for listed in page.failures)
    assert not any(listed.can_be_retried for listed in page.failures)
