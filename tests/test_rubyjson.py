from __future__ import annotations

import json
from collections import OrderedDict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db.models import IntegerChoices, TextChoices
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from jobqueue import rubyjson
from jobqueue.exceptions import InvalidArguments
from tests.goldenfiles import golden, values

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(1e14, 1e17)
    | st.floats(-1e-3, 1e-3)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


class Size(TextChoices):
    LARGE = "lårge"


class Level(IntegerChoices):
    HIGH = 3


class Colour(Enum):
    RED = "red"


class PlainFloat(float):
    pass


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")


# Encoding


@pytest.mark.parametrize("case", golden("payload_encoding")["cases"], ids=lambda case: case["name"])
def test_values_are_spelled_as_ruby_spells_them(case):
    assert rubyjson.encode(json.loads(case["payload"])) == case["payload"]


def test_special_values_are_spelled_as_ruby_spells_them():
    (text,) = values("enqueue_special_values")["resque:queue:emails"]

    assert rubyjson.encode(json.loads(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (0.00010000000000000002, "0.00010000000000000002"),
        (9.999e-05, "9.999e-05"),
        (-1e-05, "-1.0e-05"),
        (5e-324, "5.0e-324"),
        (999999999999999.9, "999999999999999.9"),
        (1e15, "1.0e+15"),
        (-1e15, "-1.0e+15"),
        (1234567890123456.8, "1.2345678901234568e+15"),
        (-1234567890123456.0, "-1.234567890123456e+15"),
        (1.5e16, "1.5e+16"),
        (1e100, "1.0e+100"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_floats_are_spelled_as_ruby_spells_them(value, text):
    assert rubyjson.encode([value]) == f"[{text}]"


def test_text_that_looks_like_an_odd_float_stays_as_it_is():
    value = {"1e-5": ["1e+20", "1234567890123456.0", 1e20, True, None, 7, "é\n"]}

    assert rubyjson.encode(value) == '{"1e-5":["1e+20","1234567890123456.0",1.0e+20,true,null,7,"é\\n"]}'


@given(JSON)
def test_what_is_encoded_is_read_again(value):
    text = rubyjson.encode(value)

    assert repr(rubyjson.decode(text.encode())) == repr(value)
    assert repr(json.loads(text)) == repr(value)


@given(JSON)
def test_every_json_value_is_sound(value):
    rubyjson.check(value, "args")


# Decoding


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "Expecting value"),
        (b"not json", "Expecting value"),
        (b'["\xff"]', "can't decode byte 0xff"),
        (b'["\xed\xa0\x80"]', "can't decode byte 0xed"),
        ('["utf-16"]'.encode("utf-16"), "can't decode byte 0xff"),
        (b"[1] 2", "Extra data"),
        (b"[NaN]", "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b"9" * 5000, "digits"),
        (b"[" * 101 + b"]" * 101, "it is nested more than 100 levels deep"),
        (b"[" * 100_000, "it is nested more than 100 levels deep"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "it is nested more than 100 levels deep"),
        (b'["\\ud800",1e999]', "not JSON compliant"),
    ],
)
def test_what_ruby_cannot_read_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        rubyjson.decode(text)


def test_nesting_up_to_rubys_limit_is_read():
    assert rubyjson.decode(b"[" * 100 + b"]" * 100)


def test_many_brackets_side_by_side_are_not_deep():
    assert rubyjson.decode(b"[" + b"{}," * 200 + b"[]]") == [{}] * 200 + [[]]


def test_half_a_surrogate_pair_is_read_as_a_question_mark():
    text = rb'{"\ud800":["\uDFFF","\ud83d\ude00","\\ud800",1e20]}'

    assert rubyjson.decode(text) == {"?": ["?", "\N{GRINNING FACE}", r"\ud800", 1e20]}


# Checking


@pytest.mark.parametrize(
    "value",
    [None, True, 1, -(2**70), 1.5, "é", [], {}, Size.LARGE, Level.HIGH, SafeString("<b>"), {Size.LARGE: 1}],
)
def test_json_values_are_sound(value):
    rubyjson.check([value, {"key": value}], "args")


def test_text_and_numbers_of_django_travel_as_plain_ones():
    assert rubyjson.encode([Size.LARGE, Level.HIGH, {Size.LARGE: 1}]) == '["lårge",3,{"lårge":1}]'


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ((1, 2), "(1, 2) is no JSON value; pass a list, e.g. list(value)"),
        ({1}, "{1} is no JSON value; pass a list, e.g. sorted(value)"),
        (b"a", "b'a' is no JSON value; pass text, e.g. value.decode()"),
        (Decimal("1.5"), "Decimal('1.5') is no JSON value; pass text, e.g. str(value)"),
        (UUID(int=0), f"{UUID(int=0)!r} is no JSON value; pass text, e.g. str(value)"),
        (PurePosixPath("/a"), "PurePosixPath('/a') is no JSON value; pass text, e.g. str(value)"),
        (gettext_lazy("Yes"), "'Yes' is no JSON value; pass text, e.g. str(value)"),
        (date(2026, 1, 2), "datetime.date(2026, 1, 2) is no JSON value; pass text, e.g. value.isoformat()"),
        (time(3, 4), "datetime.time(3, 4) is no JSON value; pass text, e.g. value.isoformat()"),
        (
            timedelta(1),
            "datetime.timedelta(days=1) is no JSON value; pass seconds, e.g. value.total_seconds()",
        ),
        (Colour.RED, "<Colour.RED: 'red'> is no JSON value; pass its value, e.g. value.value"),
        (
            User(username="ann"),
            "<User: ann> is no JSON value; pass its key, e.g. value.pk, and load it in the job",
        ),
        (
            OrderedDict(a=1),
            f"{OrderedDict(a=1)!r} is no JSON value; pass a plain dict, e.g. dict(value)",
        ),
        (PlainFloat(1.5), "1.5 is no JSON value; pass a plain number, e.g. float(value)"),
        (1j, "1j is no JSON value; pass text, numbers, lists or dicts"),
        (Unshowable(), "<Unshowable without a repr> is no JSON value; pass text, numbers, lists or dicts"),
        (float("nan"), "nan is no JSON number; pass None or text"),
        (float("-inf"), "-inf is no JSON number; pass None or text"),
        (
            "a\ud800",
            r"'a\ud800' is no valid Unicode text (it holds half a surrogate pair); pass bytes as base64",
        ),
        (
            SafeString("\udcff"),
            r"'\udcff' is no valid Unicode text (it holds half a surrogate pair); pass bytes as base64",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_json_is_refused_with_its_path_and_the_way_out(value, complaint):
    with pytest.raises(InvalidArguments) as caught:
        rubyjson.check(["fine", {"when": value}], "args")

    assert str(caught.value) == f"args[1].when: {complaint}"


def test_a_number_that_cannot_be_read_back_is_refused():
    with pytest.raises(InvalidArguments) as caught:
        rubyjson.check([10**4300], "args")

    assert str(caught.value) == (
        "args[0]: <int without a repr> has more digits than can be read back (4,300); pass text"
    )


def test_the_largest_number_that_is_taken_can_be_read_back():
    largest = 2**14_284 - 1

    rubyjson.check(largest, "args")

    assert rubyjson.decode(rubyjson.encode(largest).encode()) == largest


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, [2, 3j]]}, "args.a[1][1]: 3j is no JSON value"),
        ({"no name": 3j}, "args['no name']: 3j is no JSON value"),
        ({"a": {7: 3j}}, "args.a[7]: 3j is no JSON value"),
        ({"a": {7: 1}}, "args.a: the key 7 is no text, and JSON has no other keys; pass text, e.g. str(key)"),
        ({None: 1}, "args: the key None is no text"),
        ({"\udc80": 1}, r"args: the key '\udc80' is no valid Unicode text"),
        ([{"x" * 50: {"y" * 50: {"z" * 50: 3j}}}], f"args[0].{'x' * 50}.y…{'z' * 19}: 3j is no JSON value"),
    ],
)
def test_the_path_leads_to_the_culprit(value, message):
    with pytest.raises(InvalidArguments) as caught:
        rubyjson.check(value, "args")

    assert str(caught.value).startswith(message)


def test_a_date_in_a_keyword_is_named():
    with pytest.raises(InvalidArguments) as caught:
        rubyjson.check({"when": datetime(2026, 1, 2)}, "kwargs")

    assert str(caught.value) == (
        "kwargs.when: datetime.datetime(2026, 1, 2, 0, 0) is no JSON value; pass text, e.g. value.isoformat()"
    )


def test_a_value_that_holds_itself_is_refused():
    value = [1]
    value.append({"again": value})

    with pytest.raises(
        InvalidArguments, match="is nested more than 90 levels deep, or holds itself; flatten it"
    ):
        rubyjson.check(value, "args")


def test_nesting_is_limited_where_ruby_could_not_read_the_failure():
    def nested(levels):
        return [] if levels == 1 else {"a": nested(levels - 1)}

    rubyjson.check(nested(90), "args")
    with pytest.raises(InvalidArguments, match="nested more than 90 levels deep"):
        rubyjson.check(nested(91), "args")


def test_long_values_are_cut_in_messages():
    assert rubyjson.shown("a" * 50 + "b" * 50) == f"'{'a' * 50}{'b' * 9}…{'b' * 18}'"
    assert len(rubyjson.shown("x" * 1000)) == 80
