from __future__ import annotations

from jobqueue import delayed
from jobqueue.attempts import Attempt
from jobqueue.inspection import retries
from jobqueue.payload import Job, write


def wait(redis, *moments_ms: int, attempts: int = 1) -> None:
    for moment_ms in moments_ms:
        job = Job(f"job-{moment_ms}", [], id=f"{moment_ms}", attempts=(Attempt(error="no"),) * attempts)
        redis.zadd("resque:later", {delayed.member(write(job), "q"): moment_ms})


def test_retries_are_read_in_the_order_of_their_moments(redis):
    wait(redis, 300, 100, 200)

    page = retries.page(0, 20)

    assert [each.delayed.moment_ms for each in page.retries] == [100, 200, 300]
    assert [each.job.name for each in page.retries] == ["job-100", "job-200", "job-300"]
    assert page.retries[0].last == Attempt(error="no")
    assert (page.count, page.looked_through, page.later, page.complaints) == (3, 3, None, [])


def test_a_page_ends_with_its_last_retry_and_tells_where_to_go_on(redis, monkeypatch):
    monkeypatch.setattr(retries, "CHUNK", 2)
    wait(redis, 1, 3, 5, 7)
    wait(redis, 2, 4, 6, attempts=0)

    first = retries.page(0, 2)
    second = retries.page(first.later, 2)

    assert [each.delayed.moment_ms for each in first.retries] == [1, 3]
    assert (first.looked_through, first.later) == (3, 3)
    assert [each.delayed.moment_ms for each in second.retries] == [5, 7]
    assert second.later is None


def test_large_jobs_end_a_page(redis, monkeypatch):
    monkeypatch.setattr(retries, "LOOKED_THROUGH_BYTES", 10)
    wait(redis, 1, 2)

    assert [each.delayed.moment_ms for each in retries.page(0, 20).retries] == [1]
    assert retries.page(0, 20).later == 1


def test_nothing_waits_behind_the_end(redis):
    wait(redis, 1)

    assert retries.page(5, 20).retries == []
    assert retries.page(5, 20).later is None


def test_a_retry_is_found_by_its_moment_and_its_text(redis):
    wait(redis, 1, 2)
    first, second = retries.page(0, 20).retries

    assert retries.find(1, first.digest) == first
    assert retries.find(1, second.digest) is None
    assert retries.find(3, first.digest) is None


def test_a_moment_that_a_stranger_wrote_is_shown(redis):
    wait(redis, 1)
    (member,) = redis.zrange("resque:later", 0, -1)
    redis.zadd("resque:later", {member: 1e300})

    assert retries.page(0, 20).retries[0].delayed.at.year == 9999
