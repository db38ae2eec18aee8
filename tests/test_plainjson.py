from __future__ import annotations

import json

import pytest
from django.utils.safestring import SafeString
from hypothesis import example, given
from hypothesis import strategies as st

from jobqueue import plainjson, rubyjson
from tests.goldenfiles import golden
from tests.test_rubyjson import JSON, TEXTS, Colour, Level

FRAGMENTS = st.sampled_from(
    ["[", "]", "{", "}", ",", ":", '"', "\\", "\\ud800", "\\u00e9", "\x01", "\xff", " ", "\n"]
    + ["0", "1", "-", ".", "e", "E", "+", "9" * 25, "0.1", "1e400", "4e-324", "-0", "NaN", "Infinity"]
    + ["true", "null", "tru", '"a"', '{"a":1,"a":2}', "/*", "'"]
)


def long_way(value):
    return rubyjson._plain(value).encode()


@given(JSON)
def test_what_is_plain_is_spelled_as_ruby_spells_it(value):
    if plainjson.is_plain([value], 20):
        assert plainjson.encode(value) == rubyjson.encode(value).encode()


@given(TEXTS)
def test_every_text_is_plain_and_spelled_alike(text):
    assert plainjson.is_plain([text, {text: [text]}], 2)
    assert plainjson.encode(text) == long_way(text)


@given(st.floats(1e-4, 1e15, exclude_max=True) | st.just(-0.0) | st.floats(-1e15, -1e-4, exclude_min=True))
def test_plain_floats_are_spelled_alike(value):
    assert plainjson.is_plain([value], 0)
    assert plainjson.encode(value) == long_way(value)


@pytest.mark.parametrize("case", golden("payload_encoding")["cases"], ids=lambda case: case["name"])
def test_what_ruby_has_written_is_read_alike(case):
    assert plainjson.decode(case["payload"].encode()) == json.loads(case["payload"])


@pytest.mark.parametrize(
    "value",
    [1e15, 9.9e-5, float("nan"), float("inf"), 1 << 14_284, (1,), {1: 2}, b"", SafeString("x"), Colour.RED]
    + [Level.HIGH, [[[]]], {"a": {"b": {}}}],
    ids=repr,
)
def test_what_is_spelled_in_several_ways_or_not_at_all_is_not_plain(value):
    assert not plainjson.is_plain([value], 2)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, SafeString("x")], ids=ascii)
def test_a_text_that_is_none_is_refused(value):
    with pytest.raises(plainjson.REFUSALS):
        plainjson.encode(value)


@given(st.lists(FRAGMENTS).map("".join) | JSON.map(json.dumps))
@example("18446744073709551616")
@example("-9223372036854775809")
@example("1.7976931348623159e308")
@example("[" * 2000 + "]" * 2000)
def test_what_is_read_at_all_is_read_as_the_standard_library_reads_it(text):
    try:
        value = plainjson.decode(text.encode("latin-1", "replace"))
    except plainjson.REFUSALS:
        return

    assert repr(value) == repr(json.loads(text))
