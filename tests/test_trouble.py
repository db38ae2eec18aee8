from __future__ import annotations

import pytest
import redis

from jobqueue.trouble import is_closed, is_demoted, is_full, kind_of, may_have_arrived, reason

SHA = "0" * 40
IN_REDIS_6 = f"Error running script (call to f_{SHA}): @user_script:14: @user_script: 14: -"
IN_REDIS_7 = f" script: {SHA}, on @user_script:14."
READONLY = "READONLY You can't write against a read only replica."
FULL = "OOM command not allowed when used memory > 'maxmemory'."
FEW = "NOREPLICAS Not enough good replicas to write."


@pytest.mark.parametrize(
    ("error", "kind", "closed"),
    [
        (redis.ConnectionError("closed"), "away", False),
        (redis.TimeoutError("slow"), "away", False),
        (OSError("no more files"), "away", False),
        (redis.BusyLoadingError("loading"), "loading", False),
        (redis.AuthenticationError("wrong"), "login", False),
        (redis.ReadOnlyError("a replica"), "demoted", True),
        (redis.ResponseError(IN_REDIS_6 + READONLY), "demoted", True),
        (redis.OutOfMemoryError(FULL), "full", False),
        (redis.ResponseError(IN_REDIS_6 + FULL), "full", False),
        (redis.ResponseError(FEW), "refused", True),
        (redis.ResponseError(IN_REDIS_6 + FEW), "refused", True),
        (redis.ResponseError("MISCONF Errors writing to the AOF file"), "refused", True),
        (redis.ResponseError("WRONGTYPE Operation against a key"), "refused", False),
    ],
)
def test_errors_are_sorted_by_what_they_say_of_the_server(error, kind, closed):
    assert (kind_of(error), is_closed(error)) == (kind, closed)
    assert is_demoted(error) == (kind == "demoted")
    assert is_full(error) == (kind == "full")


@pytest.mark.parametrize("text", [FEW, IN_REDIS_6 + FEW, FEW + IN_REDIS_7])
def test_where_in_a_script_redis_refused_is_left_out(text):
    assert reason(redis.ResponseError(text)) == "NOREPLICAS Not enough good replicas to write"


def test_the_words_of_the_operating_system_come_first():
    try:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as error:
            raise redis.ConnectionError("Error 111 connecting to host:6379. Connection refused.") from error
    except redis.ConnectionError as error:
        assert reason(error) == "Connection refused"


@pytest.mark.parametrize(
    ("errors", "arrived"),
    [
        (["Error 111 connecting to host:6379. Connection refused."], False),
        (["Connection closed by server."], True),
        (["Connection closed by server.", "Error 111 connecting to host:6379."], True),
        (["Error 111 connecting to host:6379.", "Error 111 connecting to host:6379."], False),
    ],
)
def test_what_was_sent_once_may_have_arrived(errors, arrived):
    last: Exception | None = None
    for text in errors:
        error = redis.ConnectionError(text)
        error.__context__, last = last, error

    assert may_have_arrived(error) == arrived
