"""What becomes of jobs whose process died; ``store/test_runs`` shows that it does."""

from __future__ import annotations

import signal

import pytest

from jobqueue.failure import Failure
from jobqueue.payload import Job, encode
from jobqueue.recovery import (
    CrashPolicy,
    DeadWorker,
    Ending,
    Held,
    Overrun,
    SilentRun,
    exit_text,
    parse_held,
    put_back,
)

WORKER = "host:7:work"
PAYLOAD = encode(Job("A", [1]))


def held(token=2, *, is_started=False, payload=PAYLOAD):
    return Held(token, is_started, "work", payload)


def failure(ending):
    return Failure.parse(ending.text)


def crashed(times):
    """Return the payload of a job that was in flight in so many deaths."""
    return encode(Job("A", [1], crashes=times))


def policy(**given):
    """Return the look-up of a site where only A has a policy of its own."""
    return lambda name: CrashPolicy(**given) if name == "A" else CrashPolicy()


def dead_worker(**given):
    known = {"pid": 7, "status": signal.SIGKILL, "suspects": {2}, "finished": {1}, "policy_of": policy()}
    return DeadWorker(**known | given)


# What stands in flight


def test_jobs_in_flight_are_read_in_the_order_of_their_claims():
    fields = {b"10": b"0:4:workj", b"worker": b"host:7:work", b"9": b"1:6:\xc3\xbc:\xff 0:1:x"}

    worker_id, jobs = parse_held(fields)

    assert worker_id == WORKER
    assert jobs == [Held(9, True, "ü:\udcff 0", b":1:x"), Held(10, False, "work", b"j")]


def test_a_run_without_a_worker_has_none():
    assert parse_held({}) == ("", [])


@pytest.mark.parametrize("text", [b"2:4:work", b"0:5:work", b"0:%s:work" % (b"9" * 10)])
def test_a_text_that_nobody_wrote_so_is_told(text):
    with pytest.raises(ValueError, match=f"{text!r} is not how a payload is held in flight"):
        parse_held({b"1": text})


@pytest.mark.parametrize("field", [b"", b"0", b"1_0", b" 1", b"1\n", b"\xff", b"9" * 17])
def test_a_field_that_is_no_token_is_told(field):
    with pytest.raises(ValueError, match="is no token of a job in flight"):
        parse_held({field: b"0:4:work{}"})


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
        ({"suspects": set()}, 2, "back"),  # the worker died between two jobs
        ({"suspects": {2}, "finished": {1, 2}}, 2, "done"),  # or just after noting the end of one
        ({"suspects": set()}, 2, "back"),  # the supervisor ended it
        ({"suspects": set()}, 1, "done"),
        ({"policy_of": policy(retries=True)}, 1, "done"),
        ({"policy_of": policy(retries=True)}, 3, "back"),
        ({"overruns": {2: Overrun(2, 5)}}, 1, "done"),
        ({"overruns": {2: Overrun(2, 5)}}, 3, "back"),
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


@pytest.mark.parametrize(("crashes", "told"), [(0, 1), (1, 2)])
def test_a_job_whose_definition_says_so_is_tried_again_with_one_more_crash(crashes, told):
    judge = dead_worker(policy_of=policy(retries=True))

    assert judge(held(payload=crashed(crashes)), WORKER) == Ending(2, "back", crashed(told))


def test_a_job_that_was_tried_too_often_fails_and_tells_how_often():
    judge = dead_worker(policy_of=policy(retries=True, max_crashes=2))

    ending = judge(held(payload=crashed(1)), WORKER)

    assert ending.how == "killed"
    assert failure(ending).error == (
        "Child process received unhandled signal pid 7 SIGKILL (signal 9). "
        "A was in flight in 2 processes that died"
    )


@pytest.mark.parametrize("payload", [b"{", encode(Job("B", [1]))])
def test_what_no_definition_speaks_for_fails(payload):
    judge = dead_worker(policy_of=policy(retries=True))

    assert judge(held(payload=payload), WORKER).how == "killed"


def test_a_job_that_was_killed_for_its_timeout_fails_whatever_its_crashes_may_be():
    judge = dead_worker(overruns={2: Overrun(2.5, 5)}, policy_of=policy(retries=True))

    ending = judge(held(), WORKER)

    assert ending.how == "killed"
    assert failure(ending).exception == "jobqueue.exceptions.JobTimeout"
    assert failure(ending).error == (
        "The job ran longer than its timeout of 2.5 s, did not end within 5 s of its JobTimeout, "
        "and its process was killed"
    )


# A run whose heartbeats ended


def test_a_job_that_was_started_fails():
    ending = SilentRun(policy())(held(is_started=True), WORKER)

    assert ending.how == "failed"
    assert failure(ending).error == "Worker host:7:work did not gracefully exit while processing A"


@pytest.mark.parametrize(
    ("is_started", "policy_of"),
    [(False, policy()), (True, policy(retries=True)), (False, policy(retries=True))],
)
def test_a_job_that_may_have_been_running_is_tried_again_with_one_more_crash(is_started, policy_of):
    ending = SilentRun(policy_of)(held(is_started=is_started, payload=crashed(1)), WORKER)

    assert ending == Ending(2, "back", crashed(2))


@pytest.mark.parametrize(
    ("is_started", "crashes", "policy_of", "deaths"),
    [
        (False, 2, policy(), "3 processes"),
        (False, 0, policy(max_crashes=1), "1 process"),
        (True, 2, policy(retries=True), "3 processes"),
        (True, 4, policy(retries=True, max_crashes=5), "5 processes"),
    ],
)
def test_a_job_that_was_in_flight_in_too_many_deaths_fails(is_started, crashes, policy_of, deaths):
    ending = SilentRun(policy_of)(held(is_started=is_started, payload=crashed(crashes)), WORKER)

    assert ending.how == "failed"
    assert failure(ending).error == f"A was in flight in {deaths} that died, last in worker host:7:work"


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"class":1}'])
def test_what_is_no_job_is_put_back_as_it_stands_or_fails(payload):
    judge = SilentRun(policy())

    assert judge(held(payload=payload), WORKER) == Ending(2, "back", payload)
    assert failure(judge(held(is_started=True, payload=payload), WORKER)).error.endswith(
        "while processing an unreadable payload"
    )


def test_a_worker_that_leaves_puts_everything_back_unchanged():
    assert put_back(held(is_started=True), WORKER) == Ending(2, "back", PAYLOAD)
