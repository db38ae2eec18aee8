from __future__ import annotations

from jobqueue.keys import to_bytes, to_text


def test_names_of_any_bytes_come_back_as_they_were():
    assert to_bytes(to_text(b"\xff\xc3\xa9")) == b"\xff\xc3\xa9"


def test_what_is_no_text_passes():
    assert [to_bytes(part) for part in (b"\xff", 7)] == [b"\xff", 7]
