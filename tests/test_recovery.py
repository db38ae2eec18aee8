"""What becomes of jobs whose process died; ``store/test_runs`` shows that it does."""

from __future__ import annotations

import signal

import pytest

from jobqueue.failure import Failure
from jobqueue.payload import Job, decode, encode
from jobqueue.recovery import DeadWorker, Ending, Held, SilentRun, exit_text, parse_held, put_back

WORKER = "host:7:work"
PAYLOAD = encode(Job("A", [1]))


def held(token=2, *, is_started=False, payload=PAYLOAD):
    return Held(token, is_started, "work", payload)


def failure(ending):
    return Failure.parse(ending.text)


def dead_worker(**given):
    return DeadWorker(**{"pid": 7, "status": signal.SIGKILL, "running": 2, "finished": range(1, 2), **given})


# What stands in flight


def test_jobs_in_flight_are_read_in_the_order_of_their_claims():
    fields = {b"10": b"0:4:workj", b"worker": b"host:7:work", b"9": b"1:6:\xc3\xbc:\xff 0:1:x"}

    worker_id, jobs = parse_held(fields)

    assert worker_id == WORKER
    assert jobs == [Held(9, True, "ü:\udcff 0", b":1:x"), Held(10, False, "work", b"j")]


def test_a_run_without_a_worker_has_none():
    assert parse_held({}) == ("", [])


def test_a_text_that_nobody_wrote_so_is_told():
    with pytest.raises(ValueError, match="b'2:4:work' is not how a payload is held in flight"):
        parse_held({b"1": b"2:4:work"})


# A worker whose supervisor saw it die


def test_the_job_that_was_running_fails_and_names_the_signal():
    ending = dead_worker()(held(), WORKER)

    assert (ending.token, ending.how) == (2, "killed")
    assert failure(ending).exception == "jobqueue.exceptions.DirtyExit"
    assert failure(ending).error == "Child process received unhandled signal pid 7 SIGKILL (signal 9)"
    assert (failure(ending).worker, failure(ending).queue) == (WORKER, "work")


@pytest.mark.parametrize(
    ("dead", "token", "how"),
    [
        ({}, 1, "done"),  # it had ended and was only not settled
        ({}, 2, "killed"),
        ({}, 3, "back"),  # it had not begun
        ({"running": 0}, 2, "back"),  # the worker died between two jobs
        ({"running": 2, "finished": range(1, 3)}, 2, "done"),  # or just after noting the end of one
        ({"is_blameless": True}, 2, "back"),  # the supervisor ended it
        ({"is_blameless": True}, 1, "done"),
    ],
)
def test_only_the_running_job_is_to_blame(dead, token, how):
    ending = dead_worker(**dead)(held(token), WORKER)

    assert ending.how == how
    assert how != "back" or ending.text == PAYLOAD


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (signal.SIGSEGV, "Child process received unhandled signal pid 7 SIGSEGV (signal 11)"),
        (
            signal.SIGSEGV | 0x80,
            "Child process received unhandled signal pid 7 SIGSEGV (signal 11)",
        ),  # core dumped
        (40, "Child process received unhandled signal pid 7 signal 40"),  # one without a name
        (0, "Child process pid 7 exited with status 0 before its job had ended"),
        (3 << 8, "Child process pid 7 exited with status 3 before its job had ended"),
    ],
)
def test_the_end_of_a_process_is_told(status, text):
    assert exit_text(7, status) == text


# A run whose heartbeats ended


def test_a_job_that_was_started_fails():
    ending = SilentRun(max_crashes=3)(held(is_started=True), WORKER)

    assert ending.how == "failed"
    assert failure(ending).error == "Worker host:7:work did not gracefully exit while processing A"


def test_a_job_that_may_have_been_running_is_tried_again_with_one_more_crash():
    ending = SilentRun(max_crashes=3)(held(payload=encode(Job("A", [1], crashes=1))), WORKER)

    assert ending.how == "back"
    assert decode(ending.text) == Job("A", [1], crashes=2)


def test_a_job_that_was_in_flight_in_too_many_deaths_fails():
    ending = SilentRun(max_crashes=3)(held(payload=encode(Job("A", [1], crashes=2))), WORKER)

    assert ending.how == "failed"
    assert failure(ending).error == "A was in flight in 3 processes that died, last in worker host:7:work"


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"class":1}'])
def test_what_is_no_job_is_put_back_as_it_stands_or_fails(payload):
    judge = SilentRun(max_crashes=3)

    assert judge(held(payload=payload), WORKER) == Ending(2, "back", payload)
    assert failure(judge(held(is_started=True, payload=payload), WORKER)).error.endswith(
        "while processing an unreadable payload"
    )


def test_a_worker_that_leaves_puts_everything_back_unchanged():
    assert put_back(held(is_started=True), WORKER) == Ending(2, "back", PAYLOAD)
