from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobqueue.views.converters import NameConverter

converter = NameConverter()


@pytest.mark.parametrize(
    "name, segment",
    [
        ("web1:4711:critical,emails", "web1:4711:critical,emails"),
        ("*", "*"),
        ("", "~"),
        (".", "~2E"),
        ("..", "~2E~2E"),
        ("a/../b", "a~2F..~2Fb"),
        ("émile", "~C3~A9mile"),
        ("~", "~7E"),
        ("\udcff\n", "~FF~0A"),
        ("\ud800", "~3F"),
    ],
)
def test_names_are_written_as_one_segment(name, segment):
    assert converter.to_url(name) == segment


@given(st.binary())
def test_any_bytes_come_back_as_they_were(raw):
    name = raw.decode("utf-8", "surrogateescape")

    segment = converter.to_url(name)

    assert re.fullmatch(converter.regex, segment)
    assert converter.to_python(segment) == name
