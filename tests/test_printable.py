from __future__ import annotations

import pytest

from jobqueue.printable import on_one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe: 3 ✓", "Größe: 3 ✓"),
        ("\x1b[31mred\x7f\x85", r"\x1b[31mred\x7f\x85"),
        ("\u202etxt.exe", r"\u202etxt.exe"),  # turns the direction of what follows
        (b"\xff".decode(errors="surrogateescape"), r"\xff"),
        ("\ud83d", r"\ud83d"),  # half a character
        ("two\nlines\tand more", "two\nlines\tand more"),
    ],
)
def test_what_cannot_be_seen_stands_as_an_escape(text, shown):
    assert printable(text) == shown


def test_what_begins_a_line_stands_as_an_escape_where_there_is_one_line():
    assert on_one_line("a\nb\r\tc\u2028d\x00") == r"a\x0ab\x0d\x09c\u2028d\x00"
