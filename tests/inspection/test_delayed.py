from __future__ import annotations

import pytest

from jobqueue.inspection import delayed
from jobqueue.inspection.delayed import LATEST_MS, Place
from jobqueue.store.delayed import delay, delay_bare
from tests.goldenfiles import load

AT_MS = 1_900_000_000_000


def payload(id):
    return f'{{"class":"A","args":["{id}"],"id":"{id}"}}'.encode()


def ids(page):
    return [each.job.id for each in page.jobs]


def all_pages(size):
    """Return what each page shows, from the first to the last."""
    pages = [delayed.page(Place(), size)]
    while pages[-1].next:
        pages.append(delayed.page(pages[-1].next, size))
    return [ids(page) for page in pages]


def test_without_delayed_jobs_a_page_is_empty(redis):
    page = delayed.page(Place(), 20)

    assert (page.jobs, page.count, page.bare_times, page.next, page.complaints) == ([], 0, 0, None, [])


def test_a_page_shows_both_kinds_in_the_order_of_their_moments(redis):
    delay("q", [payload("b")], AT_MS + 500)
    delay_bare("q", [payload("a"), payload("a")], AT_MS)
    delay_bare("q", [payload("c")], AT_MS + 1000)
    delay("q", [payload("d")], AT_MS + 1000)

    page = delayed.page(Place(), 20)

    assert ids(page) == ["a", "a", "b", "d", "c"]
    assert [each.is_bare for each in page.jobs] == [True, True, False, False, True]
    assert (page.count, page.bare_times, page.next) == (2, 2, None)
    assert [each.queue for each in page.jobs] == ["q"] * 5


def test_rubys_jobs_are_shown(redis):
    load(redis, "delayed_several")

    page = delayed.page(Place(), 20)

    assert [(each.seen.name, each.moment_ms - AT_MS) for each in page.jobs] == [
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

    assert ids(delayed.page(Place(moment_ms=AT_MS + 1000), 20)) == ["b", "c"]


def test_a_time_whose_jobs_are_gone_shows_nothing(redis):
    redis.zadd("resque:delayed_queue_schedule", {"1900000000": 1_900_000_000})
    delay_bare("q", [payload("a")], AT_MS + 1000)

    assert ids(delayed.page(Place(), 1)) == ["a"]


def test_keys_of_another_type_are_complained_of_and_hide_nothing_else(redis):
    redis.set("resque:later", "no set")
    delay_bare("q", [payload("a")], AT_MS)
    redis.set(f"resque:delayed:{AT_MS // 1000 + 1}", "no list")
    redis.zadd("resque:delayed_queue_schedule", {f"{AT_MS // 1000 + 1}": AT_MS // 1000 + 1})

    page = delayed.page(Place(), 20)

    assert ids(page) == ["a"]
    assert len(page.complaints) == 2


@pytest.mark.parametrize("text", [b"{broken", b"[]", b"\xff"])
def test_what_is_no_job_is_shown_with_a_complaint(redis, text):
    redis.zadd("resque:later", {text: AT_MS})

    [job] = delayed.page(Place(), 20).jobs

    assert (job.job, job.queue) == (None, "")
    assert job.seen.complaint


@pytest.mark.parametrize("score, moment_ms", [("inf", LATEST_MS), ("-inf", 0), (-5, 0), (1e300, LATEST_MS)])
def test_moments_that_no_page_could_show_are_shown_as_the_nearest(redis, score, moment_ms):
    redis.zadd("resque:later", {payload("a"): score})

    assert [each.moment_ms for each in delayed.earliest(0, 1)] == [moment_ms]
    assert delayed.page(Place(), 1).jobs[0].at.year in (1970, 9999)


def test_a_time_of_another_form_is_that_of_the_beginning(redis):
    redis.zadd("resque:delayed_queue_schedule", {"soon": 1})
    redis.rpush("resque:delayed:soon", payload("a"))

    assert [(each.moment_ms, each.time) for each in delayed.earliest(0, 1)] == [(0, "soon")]


def test_all_are_counted(redis):
    load(redis, "delayed_several")
    delay("q", [payload("a")], AT_MS)

    assert delayed.count() == 7


@pytest.mark.parametrize("name", ["A", "Café", "A*", 'say "A"'])
def test_jobs_of_a_name_are_found_whatever_it_is(redis, name):
    text = ('{"class":' + ('"' + name.replace('"', '\\"') + '"') + ',"args":[],"id":"x"}').encode()
    delay("q", [text], AT_MS)

    assert [each.job.name for each in delayed.every(name) if each.job] == [name]
