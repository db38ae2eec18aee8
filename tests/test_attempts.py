from __future__ import annotations

import pytest

from jobqueue import attempts
from jobqueue.attempts import KEPT, Attempt

FAILED = Attempt("2026/11/21 00:01:12 UTC", "ValueError", "no")
WRITTEN = {"failed_at": "2026/11/21 00:01:12 UTC", "exception": "ValueError", "error": "no"}


def numbered(count):
    return [Attempt(error=str(number)) for number in range(1, count + 1)]


def test_attempts_are_read_as_they_were_written():
    written = attempts.write([FAILED, FAILED], 0)

    assert written == {"attempts": [WRITTEN, WRITTEN]}
    assert attempts.read(written) == ((FAILED, FAILED), 0)


def test_without_any_nothing_is_written():
    assert attempts.write([], 0) == {}
    assert attempts.read({}) == ((), 0)


def test_of_many_the_newest_are_kept_and_the_others_counted():
    kept, dropped = attempts.read(attempts.write(numbered(KEPT + 2), 3))

    assert (kept[0].error, kept[-1].error, len(kept)) == ("3", str(KEPT + 2), KEPT)
    assert dropped == 5


def test_long_texts_are_cut():
    (written,) = attempts.write([Attempt("", "E" * 200, "ü" * 201)], 0)["attempts"]

    assert written["exception"] == "E" * 200
    assert written["error"] == "ü" * 199 + "…"


def test_of_more_than_that_no_more_are_read():
    found, dropped = attempts.read({"attempts": [{"error": "e"}] * 1_000, "attempts_dropped": 7})

    assert (len(found), dropped) == (KEPT, 1_000 - KEPT + 7)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"attempts": "three", "attempts_dropped": "two"}, ((), 0)),
        ({"attempts": 3, "attempts_dropped": -1}, ((), 0)),
        ({"attempts": {"failed_at": "now"}, "attempts_dropped": True}, ((), 0)),
        ({"attempts": None, "attempts_dropped": 10**9}, ((), 0)),
        ({"attempts": [1, None, [], {"error": 7}]}, ((Attempt(),), 0)),
    ],
)
def test_what_a_stranger_has_written_there_counts_as_absent(fields, expected):
    assert attempts.read(fields) == expected
