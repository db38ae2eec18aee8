from __future__ import annotations

import pytest

from jobqueue.inspection import delayedpages
from jobqueue.inspection.delayed import LATEST_MS
from jobqueue.inspection.delayedpages import START, Place, page, search
from jobqueue.store.delayed import delay, delay_bare
from tests.goldenfiles import load

AT_MS = 1_900_000_000_000


def payload(id, name="A"):
    return f'{{"class":"{name}","args":["{id}"],"id":"{id}"}}'.encode()


def ids(page):
    return [each.job.id for each in page.jobs]


def all_pages(size):
    """Return what each page shows, from the first to the last."""
    pages = [page(START, size)]
    while pages[-1].next:
        pages.append(page(pages[-1].next, size))
    return [ids(each) for each in pages]


def test_without_delayed_jobs_a_page_is_empty(redis):
    seen = page(START, 20)

    assert (seen.jobs, seen.count, seen.bare_times, seen.next, seen.complaints) == ([], 0, 0, None, [])


def test_a_page_shows_both_kinds_in_the_order_of_their_moments(redis):
    delay("q", [payload("b")], AT_MS + 500)
    delay_bare("q", [payload("a"), payload("a")], AT_MS)
    delay_bare("q", [payload("c")], AT_MS + 1000)
    delay("q", [payload("d")], AT_MS + 1000)

    seen = page(START, 20)

    assert ids(seen) == ["a", "a", "b", "d", "c"]
    assert [each.is_bare for each in seen.jobs] == [True, True, False, False, True]
    assert (seen.count, seen.bare_times, seen.next) == (2, 2, None)
    assert [each.queue for each in seen.jobs] == ["q"] * 5


def test_rubys_jobs_are_shown(redis):
    load(redis, "delayed_several")

    seen = page(START, 20)

    assert [(each.seen.name, each.moment_ms - AT_MS) for each in seen.jobs] == [
        ("Emailer", 0),
        ("Emailer", 0),
        ("Thumbnailer", 0),
        ("Emailer", 60_000),
        ("Emailer", 60_000),
        ("Newsletter", 120_000),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 100])
def test_pages_follow_each_other_without_gap_or_repetition(redis, size):
    numbers = iter(range(100))
    for moment_ms in (AT_MS, AT_MS + 250, AT_MS + 999, AT_MS + 1000, AT_MS + 5000):
        for put in (delay, delay_bare, delay):
            put(
                "q",
                [payload(f"{number:02}") for _, number in zip(range(3), numbers, strict=False)],
                moment_ms,
            )

    shown = all_pages(size)

    assert all(len(page) == size for page in shown[:-1])
    whole = [id for page in shown for id in page]
    assert sorted(whole) == [f"{number:02}" for number in range(45)]
    assert whole == [id for page in all_pages(100) for id in page]


def test_a_page_may_begin_at_a_moment(redis):
    delay("q", [payload("a")], AT_MS)
    delay_bare("q", [payload("b")], AT_MS + 1000)
    delay("q", [payload("c")], AT_MS + 1500)

    assert ids(page(Place(moment_ms=AT_MS + 1000), 20)) == ["b", "c"]


def test_a_time_whose_jobs_are_gone_shows_nothing(redis):
    redis.zadd("resque:delayed_queue_schedule", {"1900000000": 1_900_000_000})
    delay_bare("q", [payload("a")], AT_MS + 1000)

    assert ids(page(START, 1)) == ["a"]


def test_keys_of_another_type_are_complained_of_and_hide_nothing_else(redis):
    redis.set("resque:later", "no set")
    delay_bare("q", [payload("a")], AT_MS)
    redis.set(f"resque:delayed:{AT_MS // 1000 + 1}", "no list")
    redis.zadd("resque:delayed_queue_schedule", {f"{AT_MS // 1000 + 1}": AT_MS // 1000 + 1})

    seen = page(START, 20)

    assert ids(seen) == ["a"]
    assert len(seen.complaints) == 2


@pytest.mark.parametrize("text", [b"{broken", b"[]", b"\xff"])
def test_what_is_no_job_is_shown_with_a_complaint(redis, text):
    redis.zadd("resque:later", {text: AT_MS})

    [job] = page(START, 20).jobs

    assert (job.job, job.queue) == (None, "")
    assert job.seen.complaint


@pytest.mark.parametrize("score, moment_ms", [("inf", LATEST_MS), ("-inf", 0), (-5, 0), (1e300, LATEST_MS)])
def test_moments_that_no_page_could_show_are_shown_as_the_nearest(redis, score, moment_ms):
    redis.zadd("resque:later", {payload("a"): score})

    [job] = page(START, 1).jobs
    assert job.moment_ms == moment_ms
    assert job.at.year in (1970, 9999)


def test_many_times_that_ruby_has_emptied_hide_nothing(redis):
    for second in range(45):
        time = AT_MS // 1000 + second
        redis.zadd("resque:delayed_queue_schedule", {f"{time}": time})
    delay("q", [payload("a")], AT_MS + 5_000)
    delay_bare("q", [payload("b")], AT_MS + 44_000)
    delay("q", [payload("c")], AT_MS + 50_000)

    shown = all_pages(20)

    assert [id for each in shown for id in each] == ["a", "b", "c"]


@pytest.mark.parametrize("time", ["soon", "1" * 5000, "nan"])
def test_times_of_no_form_lead_no_page_back_to_itself(redis, time):
    for number in range(30):
        redis.zadd("resque:delayed_queue_schedule", {f"{time}{'0' * number}": 5})
    delay("q", [payload("a")], AT_MS)

    assert ["a"] in all_pages(20)


# Searching


def test_a_search_finds_jobs_by_a_part_of_their_names(redis):
    delay("q", [payload("1", "Emailer"), payload("2", "Report"), payload("3", "BouncingEMAILER")], AT_MS)
    delay_bare("q", [payload("4", "Emailer")], AT_MS)

    seen = search("email", START, 20)

    assert sorted(ids(seen)) == ["1", "3", "4"]
    assert (seen.looked_through, seen.next, seen.count) == (4, None, 3)


def test_a_search_goes_on_where_it_stopped(redis, monkeypatch):
    monkeypatch.setattr(delayedpages, "CHUNK", 3)
    monkeypatch.setattr(delayedpages, "LOOKED_THROUGH_AT_MOST", 10)
    for number in range(24):
        put = delay_bare if number % 4 == 0 else delay
        put("q", [payload(f"{number:02}", "Even" if number % 2 == 0 else "Odd")], AT_MS + number * 400)

    found, place, looked_through = [], START, []
    while place:
        seen = search("even", place, 4)
        found, place = [*found, *ids(seen)], seen.next
        looked_through.append(seen.looked_through)

    assert sorted(found) == [f"{number:02}" for number in range(0, 24, 2)]
    assert sum(looked_through) == 24
