"""How jobs in flight are read from Redis; what becomes of them: ``test_recovery``."""

from __future__ import annotations

import pytest

from jobqueue.held import Held, parse_held


def test_jobs_in_flight_are_read_in_the_order_of_their_claims():
    fields = {b"10": b"0:4:workj", b"worker": b"host:7:work", b"9": b"1:6:\xc3\xbc:\xff 0:1:x"}

    worker_id, jobs = parse_held(fields)

    assert worker_id == "host:7:work"
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
