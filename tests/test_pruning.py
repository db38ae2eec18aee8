"""Dead workers in Ruby's words; ``store/test_workers`` shows what becomes of them in Redis."""

from __future__ import annotations

import json
import re
import time

import pytest

from jobqueue import clock, failure, pruning
from jobqueue.failure import Failure
from jobqueue.payload import Job, encode
from tests.goldenfiles import golden

RUBYS = "app2.example.com:4711:emails,reports"
WORKER = "host:7:work"
PAYLOAD = encode(Job("A", [1, "ü"], id="x"))


def held(recording, key):
    return golden(recording)["keys"][key]["value"]


def timeless(entry):
    """Return an entry without the time at which it was written."""
    return re.sub(r'"failed_at":"[^"]*"', "", entry)


# What Ruby writes


@pytest.mark.parametrize(
    ("before", "after", "worker", "make"),
    [
        ("heartbeat_expired_before_prune", "heartbeat_expired_pruned", RUBYS, pruning.expired_entry),
        (
            "worker_killed",
            "worker_killed_pruned_by_next_on_same_host",
            "vm:28510:emails,reports",
            pruning.unregistered_entry,
        ),
    ],
)
def test_a_failure_is_rubys_byte_for_byte(before, after, worker, make):
    entry = make(held(before, f"resque:worker:{worker}").encode(), worker)

    assert timeless(entry.decode()) == timeless(held(after, "resque:failed")[0])


@pytest.mark.parametrize(
    ("shown", "name", "queue", "payload"),
    [
        (
            b'{"queue":"q","run_at":"x","payload":{"class":"A", "args":[]}}',
            "A",
            "q",
            b'{"class":"A", "args":[]}',
        ),
        (b'{"payload":{"class":"A"},"queue":"q"}', "A", "q", b'{"payload":{"class":"A"},"queue":"q"}'),
        (b'{"queue":3,"payload":{"class":[]}}', "", "", b'{"class":[]}'),
        (b'{"queue":"q","payload":[]}', "", "", b'{"queue":"q","payload":[]}'),
        (b"[1]", "", "", b"[1]"),
        (b"\xff", "", "", b"\xff"),
        (b"", "", "", b""),
    ],
)
def test_what_a_worker_was_doing_is_kept_whatever_it_is(shown, name, queue, payload):
    assert pruning.read_work(shown) == (name, queue, payload)


def test_a_job_of_no_name_is_told_as_in_ruby():
    seen = Failure.parse(pruning.expired_entry(b"{}", WORKER))

    assert seen.error == "Worker host:7:work did not gracefully exit while processing <Unknown Job>"


@pytest.mark.parametrize(
    ("heartbeat", "is_expired"),
    [
        (clock.heartbeat(1_000_000).encode(), True),
        (clock.heartbeat(1_000_001).encode(), False),
        (b"1970-01-12T13:46:40Z", True),
        (b"a while ago", False),
        (b"\xff" * 10_000_000, False),
        (b"", False),
    ],
)
def test_a_heartbeat_is_missed_after_rubys_time(heartbeat, is_expired):
    assert pruning.is_expired(heartbeat, 1_000_301) is is_expired


# Whether Ruby has failed a job


def rubys_entry(**changed):
    """Return what Ruby's pruner writes of a job of ours."""
    fields = {
        "failed_at": clock.failed_at(time.time()),
        "payload": json.loads(PAYLOAD),
        "exception": pruning.UNREGISTERED,
        "error": "Job still being processed",
        "backtrace": [],
        "worker": WORKER,
        "queue": "work",
    }
    return json.dumps({**fields, **changed}).encode()


def has_failed(entry, payload=PAYLOAD, alive_ago=5.0):
    return pruning.has_failed(entry, payload, WORKER, time.time() - alive_ago)


@pytest.mark.parametrize("exception", [pruning.UNREGISTERED, pruning.PRUNED])
def test_a_failure_of_rubys_pruner_is_known_however_it_spells_the_job(exception):
    assert PAYLOAD not in rubys_entry(exception=exception)
    assert has_failed(rubys_entry(exception=exception))


@pytest.mark.parametrize(
    "changed",
    [
        {"worker": "host:8:work"},
        {"exception": "Resque::TermException"},
        {"exception": "jobqueue.exceptions.DirtyExit"},
        {"payload": {"class": "A", "args": [1, "ü"], "id": "y"}},
        {"payload": None},
        {"failed_at": "soon"},
        {"failed_at": clock.failed_at(0)},
    ],
)
def test_another_failure_is_not_taken_for_it(changed):
    assert not has_failed(rubys_entry(**changed))


def test_a_failure_may_be_older_than_the_last_heartbeat_by_another_machines_clock():
    entry = rubys_entry(failed_at=clock.failed_at(time.time() - 30))

    assert has_failed(entry, alive_ago=0)


@pytest.mark.parametrize("entry", [b"", b"[]", b'"Resque::DirtyExit"', b'{"exception":"Resque::DirtyExit"'])
def test_what_is_no_failure_is_none(entry):
    assert not has_failed(entry)


def test_what_is_no_job_is_known_as_its_worker_shows_it():
    entry = rubys_entry(payload=json.loads(failure.embedded(b"no job")))

    assert has_failed(entry, b"no job")
