from __future__ import annotations

import re

import pytest

from jobqueue.inspection import locks as reading
from jobqueue.payload import Job, encode
from jobqueue.store.locks import Candidate, delay, enqueue


def lock(number, *, kind="queued", queue="work"):
    """Enqueue a unique job; return its lock's name and its id."""
    digest, id = f"{number:024x}", f"job-{number}"
    payload = encode(Job("tests.Report", [number], id=id, unique=f"{kind}:{digest}"))
    if queue:
        enqueue(queue, [Candidate(digest, id, payload)], "drop")
    else:
        delay("work", [Candidate(digest, id, payload)], 1_900_000_000_000, "drop")
    return digest, id


def text(html):
    """Return the words of a page's table."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_locks_tell_their_jobs_and_where_they_wait(staff, redis):
    lock(1)
    lock(2, kind="done", queue="")

    shown = text(staff.get("/jobs/stats/locks/").content.decode())

    assert shown.startswith("tests.Report 1 it begins work")
    assert "tests.Report 2 it has ended waits for its moment" in shown


def test_without_locks_it_says_so(staff, redis):
    assert b"No lock is held" in staff.get("/jobs/stats/locks/").content


def test_many_locks_stand_on_several_pages(staff, redis):
    for number in range(1200):
        lock(number)
    found, page = set(), "/jobs/stats/locks/"
    for _ in range(100):
        html = staff.get(page).content.decode()
        found |= set(re.findall(r'name="id" value="([^"]+)"', html))
        assert "1,200 locks" in html
        following = re.search(r'href="(\?cursor=\d+)">Look on', html)
        if not following:
            break
        page = f"/jobs/stats/locks/{following[1]}"

    assert len(found) == 1200


def test_an_operator_releases_a_lock_and_its_job_stays(staff, redis):
    digest, id = lock(1)

    response = staff.post("/jobs/stats/locks/release/", {"digest": digest, "id": id}, follow=True)

    assert b"The lock was released; its job stays where it is." in response.content
    assert reading.get(digest) is None
    assert redis.llen("resque:queue:work") == 1


@pytest.mark.parametrize("form", [{}, {"digest": f"{1:024x}", "id": "other"}, {"digest": "x", "id": "job-1"}])
def test_a_lock_that_has_changed_hands_stays(staff, redis, form):
    digest, _ = lock(1)

    response = staff.post("/jobs/stats/locks/release/", form, follow=True)

    assert b"This job does not hold the lock any more." in response.content
    assert reading.get(digest) is not None


def test_who_may_only_look_sees_no_buttons(staff, redis, settings):
    settings.JOBQUEUE_CAN_OPERATE = "tests.views.rights.nobody"
    digest, id = lock(1)

    assert b"Release" not in staff.get("/jobs/stats/locks/").content
    assert staff.post("/jobs/stats/locks/release/", {"digest": digest, "id": id}).status_code == 403
    assert reading.get(digest) is not None


def test_what_is_no_lock_can_be_released_too(staff, redis):
    redis.hset("resque:unique", "x", "nonsense")

    assert "nobody knows nowhere" in text(staff.get("/jobs/stats/locks/").content.decode())
    staff.post("/jobs/stats/locks/release/", {"digest": "x", "id": ""})
    assert not redis.exists("resque:unique")
