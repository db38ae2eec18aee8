from __future__ import annotations

import pytest

from jobqueue.inspection import delayed
from jobqueue.store.delayed import delay, delay_bare
from tests.goldenfiles import load

AT_MS = 1_900_000_000_000


def payload(id):
    return f'{{"class":"A","args":["{id}"],"id":"{id}"}}'.encode()


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


def test_all_of_one_moment_are_found(redis, monkeypatch):
    monkeypatch.setattr(delayed, "READ_AT_ONCE", 2)
    delay("q", [payload(number) for number in range(5)], AT_MS)
    delay_bare("q", [payload(number) for number in range(5)], AT_MS)
    delay("q", [payload("x")], AT_MS + 1)

    assert len(list(delayed.at(AT_MS))) == 10


def test_a_job_is_found_by_its_moment_and_the_digest_of_its_text(redis):
    delay("q", [payload(1), payload(2)], AT_MS)
    delay_bare("q", [payload(1)], AT_MS)

    for job in delayed.at(AT_MS):
        assert delayed.find(AT_MS, job.digest, is_bare=job.is_bare) == job
        assert delayed.find(AT_MS + 1000, job.digest, is_bare=job.is_bare) is None
