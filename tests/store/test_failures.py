"""The golden recordings show what Ruby's Resque leaves after the same operations."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jobqueue import failure, ids
from jobqueue.exceptions import InvalidPayload
from jobqueue.inspection import failures as inspection
from jobqueue.inspection.failures import Listed
from jobqueue.payload import Job, decode, encode
from jobqueue.store import failures
from tests.goldenfiles import dump, load, values

RETRIED_AT = re.compile(r'("retried_at":)"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d UTC"')


def timeless(recording: dict[str, Any]) -> dict[str, Any]:
    """Leave out when failures were retried, and our own doorbells."""
    kept = {key: value for key, value in recording.items() if not key.startswith("resque:wake")}
    if "resque:failed" in kept:
        kept["resque:failed"] = [RETRIED_AT.sub(r"\1TIME", entry) for entry in kept["resque:failed"]]
    return kept


def listed(index: int) -> Listed:
    return next(each for each in inspection.page(0, 100).failures if each.index == index)


def failed(redis: Any, *names: str, **fields: Any) -> list[bytes]:
    entries = [
        failure.entry(
            encode(Job(name, [])), exception="E", error="", backtrace=[], worker="h:1:q", queue="q", **fields
        )
        for name in names
    ]
    redis.rpush("resque:failed", *entries)
    return entries


def test_retry_leaves_what_ruby_leaves(redis):
    load(redis, "failure_list")

    assert failures.retry_listed(listed(1))

    assert timeless(dump(redis)) == timeless(values("failure_retried"))


def test_remove_leaves_what_ruby_leaves(redis):
    load(redis, "failure_retried")

    assert failures.remove(listed(0).failure.raw)

    assert dump(redis) == values("failure_removed")


def test_clear_retried_leaves_what_ruby_leaves(redis):
    load(redis, "failure_removed")

    assert failures.clear_retried() == 1

    assert dump(redis) == values("failure_cleared_retried")


def test_clear_leaves_what_ruby_leaves(redis):
    load(redis, "failure_cleared_retried")

    failures.clear()

    assert dump(redis) == values("failure_cleared")


def test_retry_all_leaves_what_ruby_leaves(redis):
    load(redis, "failure_retried_all")  # From another run than failure_list: undo it by hand.
    redis.delete("resque:queue:emails", "resque:queue:reports")
    for n, entry in enumerate(redis.lrange("resque:failed", 0, -1)):
        redis.lset("resque:failed", n, re.sub(rb',"retried_at":"[^"]*"', b"", entry))

    assert failures.retry_all().retried == 4

    assert timeless(dump(redis)) == timeless(values("failure_retried_all"))


def test_retry_all_repeats_those_already_retried(redis):
    load(redis, "failure_retried_all")

    assert failures.retry_all().retried == 4

    assert redis.llen("resque:queue:emails") == 6
    assert timeless(dump(redis))["resque:failed"] == timeless(values("failure_retried_all"))["resque:failed"]


def test_retry_all_takes_only_failures_that_were_there_at_the_start(redis, monkeypatch):
    failed(redis, "A", "B")
    retry = failures.retry_listed

    def retry_while_another_fails(each: Listed) -> bool:
        failed(redis, "Later")
        return retry(each)

    monkeypatch.setattr(failures, "retry_listed", retry_while_another_fails)

    assert failures.retry_all().retried == 2


def test_retry_all_leaves_failures_without_a_job_as_they_are(redis):
    redis.rpush("resque:failed", b"{broken")
    failed(redis, "A")

    assert failures.retry_all() == failures.Retried(retried=1, unreadable=1, left_from=None)

    assert redis.lindex("resque:failed", 0) == b"{broken"


def test_retry_all_ends_in_time_and_goes_on_from_there(redis):
    failed(redis, "A", "B")

    cut = failures.retry_all(0, seconds=-1)
    rest = failures.retry_all(1)

    assert (cut.retried, cut.left_from) == (0, 0)
    assert (rest.retried, rest.left_from) == (1, None)


def test_retry_gives_the_job_a_new_id_and_names_the_old(redis):
    old = ids.new_id()
    payload = encode(Job("A", [1], {"k": 2}, old))
    entry = failure.entry(payload, exception="E", error="", backtrace=[], worker="h:1:q", queue="q")
    redis.rpush("resque:failed", entry)

    failures.retry_listed(listed(0))

    again = decode(redis.lindex("resque:queue:q", 0))
    assert (again.name, again.args, again.kwargs, again.retry_of) == ("A", [1], {"k": 2}, old)
    assert again.id not in (None, old)


def test_retry_finds_an_entry_that_has_moved(redis):
    failed(redis, "A", "B", "C")
    seen = listed(2)
    redis.lpop("resque:failed")

    assert failures.retry_listed(seen)

    names = [decode(payload).name for payload in redis.lrange("resque:queue:q", 0, -1)]
    assert names == ["C"]
    assert [bool(each.failure.retried_at) for each in inspection.page(0, 10).failures] == [True, False]


def test_retry_of_a_failure_that_is_gone_changes_nothing(redis):
    failed(redis, "A")
    seen = listed(0)
    redis.delete("resque:failed")

    assert not failures.retry_listed(seen)

    assert redis.keys("*") == []


def test_retry_rings_the_queue_and_the_bell_of_new_queues(redis):
    failed(redis, "A")

    failures.retry_listed(listed(0))

    assert redis.llen("resque:wake:q") == redis.llen("resque:wake") == 1


def test_retry_onto_a_queue_whose_name_is_no_text(redis):
    [entry] = failed(redis, "A")

    assert failures.retry(entry, entry, "\udcff", b"{}")

    assert redis.lrange(b"resque:queue:\xff", 0, -1) == [b"{}"]


def test_retry_onto_a_key_that_is_no_list_changes_nothing(redis):
    [entry] = failed(redis, "A")
    redis.set("resque:queue:q", "no list")

    with pytest.raises(Exception, match="WRONGTYPE"):
        failures.retry_listed(listed(0))

    assert redis.lrange("resque:failed", 0, -1) == [entry]


@pytest.mark.parametrize(
    "entry, reason",
    [
        (b"[]", "this entry is JSON, but no object"),
        (b'{"payload":{"class":null,"args":[],"raw":"x"},"queue":"q"}', "names no job"),
        (b'{"payload":{"class":"A","args":[]},"queue":""}', "it names no queue"),
    ],
)
def test_a_failure_without_job_or_queue_is_not_retried(redis, entry, reason):
    redis.rpush("resque:failed", entry)

    with pytest.raises(InvalidPayload, match=f"cannot be retried: .*{reason}"):
        failures.retry_listed(listed(0))


def test_remove_takes_one_of_equal_entries(redis):
    redis.rpush("resque:failed", b"same", b"other", b"same")

    assert failures.remove(b"same")

    assert redis.lrange("resque:failed", 0, -1) == [b"same", b"other"]


def test_remove_of_a_failure_that_is_gone_says_so(redis):
    assert not failures.remove(b"gone")


def test_clear_retried_goes_through_a_long_list(redis):
    entries = failed(redis, *[f"Job{n}" for n in range(1_000)])
    retried = {n for n in range(1_000) if n % 3}
    for n in retried:
        redis.lset("resque:failed", n, failure.retried(entries[n]))

    assert failures.clear_retried() == len(retried)

    assert redis.lrange("resque:failed", 0, -1) == [entries[n] for n in range(1_000) if n not in retried]


def test_clear_retried_works_in_a_full_redis(redis_factory, monkeypatch):
    server = redis_factory("--maxmemory-policy", "noeviction")
    monkeypatch.setenv("REDIS_URL", server.url)
    with server.client() as redis:
        entries = failed(redis, "A", "B", "C")
        for n in (0, 2):
            redis.lset("resque:failed", n, failure.retried(entries[n]))
        redis.config_set("maxmemory", 1)

        assert failures.clear_retried() == 2
        assert redis.lrange("resque:failed", 0, -1) == [entries[1]]
