from __future__ import annotations

import os
import re
import time

import pytest
import redis as redis_client

from jobqueue import patience as module
from jobqueue.patience import GaveUp, Patience

AWAY = redis_client.ConnectionError("away")


@pytest.fixture
def patience(attention, monkeypatch):
    monkeypatch.setattr(module, "pauses", lambda: [0.0] * 10)
    return Patience(attention, "worker 7")


def after(*errors, answer="answer"):
    """Return an action that fails with these errors before it answers."""
    left = list(errors)

    def action():
        if left:
            raise left.pop(0)
        return answer

    return action


def test_an_answer_is_returned(patience, caplog):
    assert patience(lambda: 5) == 5
    assert caplog.messages == []


def test_a_connection_that_idled_away_is_not_worth_a_line(patience, caplog):
    assert patience(after(AWAY)) == "answer"
    assert caplog.messages == []


def test_a_redis_that_goes_and_comes_is_told_in_two_lines(patience, caplog, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://:secret@127.0.0.1:1/0"

    patience(after(AWAY, redis_client.TimeoutError("slow"), AWAY, AWAY))
    patience(lambda: 1)

    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert caplog.messages[0].startswith(
        "worker 7: Redis at redis://:***@127.0.0.1:1/0 cannot be reached: it gives no answer in time."
    )
    assert caplog.messages[0].endswith("Trying again until it answers.")
    assert re.fullmatch(r"worker 7: Redis answers again, after \d+\.\d s\.", caplog.messages[1])


def test_what_redis_refuses_is_told_in_its_own_words(patience, caplog):
    refusal = redis_client.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")

    patience(after(refusal, refusal))

    assert " refuses: MISCONF Errors writing to the AOF file: No space left" in caplog.messages[0]


def test_each_kind_of_trouble_is_told_once_until_redis_answers(patience, caplog, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1/0"
    loading, demoted = redis_client.BusyLoadingError("loading"), redis_client.ReadOnlyError("a replica")

    patience(after(AWAY, AWAY, loading, AWAY, demoted, loading, AWAY))

    told = [message.partition("/0 ")[2][:20] for message in caplog.messages[:-1]]
    assert told == ["cannot be reached: a", "is still loading its", "is a replica, which "]
    assert "answers again" in caplog.messages[-1]


def test_trouble_that_comes_again_is_told_again(patience, caplog):
    patience(after(AWAY, AWAY))
    patience(after(AWAY, AWAY))

    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"] * 2


def test_an_error_of_the_operating_system_is_waited_out_too(patience, caplog):
    assert patience(after(OSError("no file descriptors"), OSError("none"))) == "answer"
    assert "worker 7: Redis cannot be reached: none. Trying again until it answers." in caplog.messages


def test_other_errors_are_not_waited_out(patience):
    with pytest.raises(ZeroDivisionError):
        patience(lambda: 1 / 0)


def test_a_stopping_process_is_patient_until_its_time_is_over(patience, attention):
    attention.stop()
    assert patience(after(AWAY, AWAY)) == "answer"

    attention.stop_by = time.monotonic()
    with pytest.raises(GaveUp):
        patience(after(AWAY))


def test_a_signal_shortens_a_pause(attention, monkeypatch):
    monkeypatch.setattr(module, "pauses", lambda: [60.0])
    patience = Patience(attention, "worker 7")

    def away():
        os.kill(os.getpid(), 15)
        attention.stop_by = time.monotonic() + 0.001
        raise AWAY

    with pytest.raises(AssertionError, match="pauses have no end"):
        patience(away)


def test_a_process_that_holds_nothing_does_not_wait_when_it_is_told_to_stop(attention):
    patience = Patience(attention, "worker 7", is_worth_it=lambda: False)
    attention.stop()

    with pytest.raises(GaveUp):
        patience(after(AWAY))
