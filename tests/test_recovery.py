"""What becomes of jobs whose process died; ``store/test_runs`` shows that it does."""

from __future__ import annotations

import signal

import pytest

from jobqueue import delayed
from jobqueue.attempts import Attempt
from jobqueue.exceptions import TermException
from jobqueue.failure import Failure
from jobqueue.held import Held
from jobqueue.payload import Job, decode, encode
from jobqueue.recovery import (
    CrashPolicy,
    DeadWorker,
    Ending,
    Overrun,
    SilentRun,
    exit_text,
    no_retry,
    put_back,
)
from jobqueue.retrying import RetryPolicy

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


def retried(**given):
    """Return the look-up of a site where only A is tried again."""
    return lambda name: (
        RetryPolicy(**{"retries": 1, "backoff": [7]} | given) if name == "A" else RetryPolicy()
    )


STOPPED = {"is_stopped": True, "policy_of": no_retry}
OVERRUN = {"overruns": {2: Overrun(2.5, 5)}, "policy_of": no_retry}


@pytest.mark.parametrize(
    ("dead", "exception", "error"),
    [
        (OVERRUN, "jobqueue.exceptions.JobTimeout", "its process was killed"),
        (STOPPED, "jobqueue.exceptions.DirtyExit", "unhandled signal pid 7 SIGKILL (signal 9)"),
    ],
)
def test_a_job_that_was_killed_and_not_for_its_own_death_is_tried_again_as_any_that_fails(
    dead, exception, error
):
    ending = dead_worker(**dead, retry_of=retried())(held(), WORKER)

    waits = delayed.read(ending.text)
    (failed,) = decode(waits.payload).attempts
    assert (ending.token, ending.how, ending.pause_ms, waits.queue) == (2, "later", 7_000, "work")
    assert failed.exception == exception
    assert failed.error.endswith(error)


TRIED = encode(Job("A", [1], attempts=(Attempt(),)))


@pytest.mark.parametrize("payload", [TRIED, encode(Job("B", [1])), b"{"])
@pytest.mark.parametrize("dead", [OVERRUN, STOPPED])
def test_one_without_an_attempt_left_fails(dead, payload):
    ending = dead_worker(**dead, retry_of=retried())(held(payload=payload), WORKER)

    assert ending.how == "killed"


def test_a_killed_job_fails_if_that_is_not_worth_an_attempt():
    assert dead_worker(**OVERRUN, retry_of=retried(retry_on=(OSError,)))(held(), WORKER).how == "killed"
    assert dead_worker(**STOPPED, retry_of=retried(fail_on=(TermException,)))(held(), WORKER).how == "killed"


def test_the_supervisor_calls_no_code_of_the_users():
    policy_of = retried(backoff=lambda attempt, error: pytest.fail("it was called"))

    ending = dead_worker(**OVERRUN, retry_of=policy_of)(held(), WORKER)

    assert 15_000 <= ending.pause_ms <= 30_000


def test_a_job_that_crashed_by_itself_is_not_counted_as_an_attempt():
    assert dead_worker(retry_of=retried())(held(), WORKER).how == "killed"
    assert dead_worker(retry_of=retried(), policy_of=policy(retries=True))(held(), WORKER).how == "back"


def test_a_job_whose_queue_is_no_unicode_fails_since_it_could_not_wait():
    odd = Held(2, True, "\udcff", PAYLOAD)

    assert dead_worker(**OVERRUN, retry_of=retried())(odd, WORKER).how == "killed"


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
