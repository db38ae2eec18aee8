from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from jobqueue import ids, payload
from jobqueue.exceptions import InvalidArguments, InvalidPayload, PayloadTooLarge
from jobqueue.payload import Job
from tests.goldenfiles import golden, values
from tests.test_rubyjson import JSON, TEXTS

RUBYS_JOBS = [
    job
    for name in ("enqueue", "enqueue_several_queues", "enqueue_special_values", "dequeue_one_args")
    for key, jobs in values(name).items()
    if key.startswith("resque:queue:")
    for job in jobs
] + [case["payload"] for case in golden("payload_encoding")["cases"]]

OTHER_SPELLINGS = [
    (spelling, case["payload"])
    for case in golden("payload_encoding")["cases"]
    for library, spelling in case.items()
    if library.startswith("payload_with_")
]


def keeps_kwargs(job):
    return not (job.args and isinstance(job.args[-1], dict) and job.args[-1].keys() == {"_kwargs"})


JOBS = st.builds(
    Job,
    TEXTS,
    st.lists(JSON, max_size=3),
    st.dictionaries(TEXTS, JSON, max_size=2),
    st.none() | st.builds(ids.new_id),
    st.integers(0, 9),
    st.none() | st.builds(ids.new_id),
).filter(keeps_kwargs)


# Encoding


@pytest.mark.parametrize("text", RUBYS_JOBS)
def test_a_bare_job_is_written_as_ruby_writes_it(text):
    fields = json.loads(text)

    assert payload.encode(Job(fields["class"], fields["args"])).decode() == text


@pytest.mark.parametrize("text", RUBYS_JOBS)
def test_what_ruby_wrote_is_read_and_written_the_same(text):
    assert payload.encode(payload.decode(text.encode())).decode() == text


@pytest.mark.parametrize(("spelling", "text"), OTHER_SPELLINGS)
def test_what_other_libraries_of_ruby_wrote_is_the_same_job(spelling, text):
    assert payload.decode(spelling.encode()) == payload.decode(text.encode())


def test_our_own_fields_follow_in_order():
    job = Job("send", [1], {"to": "é"}, id="an-id", crashes=2, retry_of="other")

    assert payload.encode(job).decode() == (
        '{"class":"send","args":[1,{"_kwargs":{"to":"é"}}],"id":"an-id","crashes":2,"retry_of":"other"}'
    )


def test_fields_with_nothing_to_say_are_left_out():
    assert payload.encode(Job("send", [])) == b'{"class":"send","args":[]}'


@given(JOBS)
def test_a_job_comes_back_from_its_payload(job):
    assert repr(payload.decode(payload.encode(job))) == repr(job)


@pytest.mark.parametrize(
    ("job", "path"),
    [
        (Job("send", [1, {"when": 2j}]), "args[1].when: 2j"),
        (Job("send", [], {"to": [2j]}), "kwargs.to[0]: 2j"),
        (Job("s\ud800", []), r"name: 's\ud800'"),
        (Job("send", (1,)), "args: (1,)"),
    ],
)
def test_arguments_that_are_not_json_are_refused(job, path):
    with pytest.raises(InvalidArguments) as caught:
        payload.encode(job)

    assert str(caught.value).startswith(path)


@pytest.mark.parametrize("value", [{}, {"a": 1}, None])
def test_an_argument_that_looks_like_keywords_is_refused(value):
    with pytest.raises(InvalidArguments) as caught:
        payload.encode(Job("send", [1, {"_kwargs": value}]))

    assert str(caught.value) == (
        "args[1]: a dict with the single key '_kwargs' is how keyword arguments travel; use another key"
    )


@pytest.mark.parametrize("args", [[{"_kwargs": {}}, 1], [{"_kwargs": {}, "more": 1}], [[{"_kwargs": {}}]]])
def test_keywords_are_only_looked_for_at_the_end(args):
    assert payload.decode(payload.encode(Job("send", args))) == Job("send", args)


def test_a_large_payload_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING, logger="jobqueue"):
        payload.encode(Job("send", ["x" * 99_900]))
        assert not caplog.records
        payload.encode(Job("send", ["x" * 100_000]))

    assert caplog.messages == ["large payload job=send bytes=100028; better store the data and pass its key"]


def test_a_payload_over_the_setting_is_refused(settings):
    settings.JOBQUEUE_MAX_PAYLOAD_BYTES = 40

    assert len(payload.encode(Job("send", ["x" * 12]))) == 40
    with pytest.raises(PayloadTooLarge) as caught:
        payload.encode(Job("send", ["é" * 10]))

    assert str(caught.value) == (
        "the payload of 'send' has 48 bytes, over JOBQUEUE_MAX_PAYLOAD_BYTES (40); "
        "store the data elsewhere and pass its key"
    )


def test_by_default_a_megabyte_is_the_limit():
    with pytest.raises(PayloadTooLarge, match="has 1,000,028 bytes"):
        payload.encode(Job("send", ["x" * 1_000_000]))


# Decoding


@pytest.mark.parametrize(
    ("args", "read"),
    [
        ('"args":[1,"a"]', [1, "a"]),
        ('"args":null', []),
        ('"other":1', []),
        ('"args":7', [7]),
        ('"args":"text"', ["text"]),
        ('"args":{"a":1}', [{"a": 1}]),
        ('"args":[{"_kwargs":7}]', [{"_kwargs": 7}]),
        ('"args":[{"_kwargs":{},"a":1}]', [{"_kwargs": {}, "a": 1}]),
    ],
)
def test_arguments_are_read_as_ruby_reads_them(args, read):
    assert payload.decode(f'{{"class":"send",{args}}}'.encode()) == Job("send", read)


def test_keyword_arguments_survive_ruby_which_drops_foreign_fields():
    fields = json.loads(payload.encode(Job("send", [1], {"to": "a"}, id=ids.new_id())))
    by_ruby = json.dumps({"class": fields["class"], "args": fields["args"]}).encode()

    assert payload.decode(by_ruby) == Job("send", [1], {"to": "a"})


def test_the_payload_of_a_delayed_job_of_ruby_is_a_job():
    assert payload.decode(b'{"class":"Emailer","args":[1],"queue":"emails"}') == Job("Emailer", [1])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "7"),
        ("id", "null"),
        ("id", '["a"]'),
        ("crashes", '"2"'),
        ("crashes", "true"),
        ("crashes", "-1"),
        ("crashes", "1000001"),
        ("crashes", "1.5"),
        ("crashes", "null"),
        ("retry_of", "7"),
        ("retry_of", "{}"),
    ],
)
def test_a_field_of_ours_with_a_strange_value_counts_as_absent(field, value):
    text = f'{{"class":"send","args":[],"{field}":{value}}}'

    assert payload.decode(text.encode()) == Job("send", [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"not json", "'not json' is no JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"", "'' is no JSON: Expecting value"),
        (b'{"class":"\xff"}', "'{\"class\":\"\\\\xff\"}' is no JSON: 'utf-8' codec can't decode byte 0xff"),
        (
            b"[" * 5000 + b"]" * 5000,
            f"'{'[' * 59}…{']' * 18}' is no JSON: it is nested more than 100 levels deep",
        ),
        (b'{"class":"a","args":[' + b"1" * 5000 + b"]}", '\'{"class":"a"'),
        (b"null", "None is no job: a payload is a JSON object"),
        (b"7", "7 is no job"),
        (b'["class"]', "['class'] is no job"),
        (b"{}", "{} names no job: its class is None, not text"),
        (b'{"class":7,"args":[]}', "{'class': 7, 'args': []} names no job: its class is 7, not text"),
        (b'{"class":["a"]}', "{'class': ['a']} names no job: its class is ['a'], not text"),
    ],
)
def test_a_text_that_is_no_job_is_refused_with_the_reason(text, reason):
    with pytest.raises(InvalidPayload) as caught:
        payload.decode(text)

    assert str(caught.value).startswith(reason)


OBJECTS = st.fixed_dictionaries(
    {"class": st.text() | JSON},
    optional=dict.fromkeys(("args", "id", "crashes", "retry_of", "queue"), JSON),
)


@given(st.binary() | (JSON | OBJECTS).map(json.dumps).map(str.encode))
def test_any_text_is_a_job_or_refused(text):
    try:
        job = payload.decode(text)
    except InvalidPayload as error:
        assert str(error)
    else:
        assert isinstance(job.name, str)


@given(OBJECTS.map(json.dumps).map(str.encode), st.lists(st.tuples(st.integers(0), st.integers(0, 255))))
@example(b'{"class":"a","args":[],"x":"\xff"}', [])
@example(b'{"class":"a","args":[],"crashes":-1}', [])
@example(b'{"class":"a","args":[],"\\u0063lass":"b"}', [])
@example(b'{"class":"a","args":[1e400]}', [])
@example(b'{"class":"a","args":[1,{"_kwargs":{"b":2}}]}', [])
@example(b'{"class":"a","args":[{"_kwargs":2}]}', [])
@example(b'{"class":"a","args":' + b"[" * 100 + b"]" * 100 + b"}", [])
def test_the_short_way_reads_what_the_long_way_reads(text, changes):
    text = bytearray(text)
    for place, byte in changes:
        text[place % len(text)] = byte

    assert outcome(payload.decode, bytes(text)) == outcome(payload._decode_any, bytes(text))


def outcome(decode, text):
    try:
        return repr(decode(text))
    except InvalidPayload as error:
        return str(error)


def test_a_job_tells_when_it_was_enqueued(monkeypatch):
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_795_219_269 * 10**9)

    job = Job("send", [], id=ids.new_id())

    assert job.enqueued_at == datetime(2026, 11, 21, 0, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("id", [None, "strange"])
def test_a_job_without_an_id_of_ours_tells_no_moment(id):
    assert Job("send", [], id=id).enqueued_at is None


# Crashes


@given(JOBS, st.integers(0, 9))
def test_crashes_are_written_where_encode_writes_them(job, crashes):
    counted = structs.replace(job, crashes=crashes)

    assert payload.with_crashes(payload.encode(job), crashes) == payload.encode(counted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Ruby's spelling and strangers' fields stay
        (
            b'{"class": "a","args":["\\u003c",1e15,0.12345678901234567890],"x":1}\n',
            b'{"class": "a","args":["\\u003c",1e15,0.12345678901234567890],"x":1,"crashes":2}',
        ),
        # What looks like our field inside an argument is none
        (
            b'{"class":"a","args":[{"b":1,"crashes":7}]}',
            b'{"class":"a","args":[{"b":1,"crashes":7}],"crashes":2}',
        ),
        (
            b'{"args":{"b":1,"crashes":7},"class":"a"}',
            b'{"args":{"b":1,"crashes":7},"class":"a","crashes":2}',
        ),
        (
            b'{"class":"a","args":[",\\"crashes\\":7}"]}',
            b'{"class":"a","args":[",\\"crashes\\":7}"],"crashes":2}',
        ),
        (b'{"class":"a","crashes":1}', b'{"class":"a","crashes":2}'),
    ],
)
def test_counting_a_crash_changes_no_other_byte(text, expected):
    counted = payload.with_crashes(text, 2)

    assert counted == expected
    assert payload.decode(counted) == structs.replace(payload.decode(text), crashes=2)


def test_a_strange_count_elsewhere_is_overruled():
    counted = payload.with_crashes(b'{"crashes":"x","class":"a","args":[] }', 3)

    assert payload.decode(counted) == Job("a", [], crashes=3)


@pytest.mark.parametrize("text", [b"not json", b"{}", b"null", b"\xff", b'{"class":7}'])
def test_a_text_that_is_no_job_counts_no_crashes(text):
    assert payload.with_crashes(text, 2) == text


# What ends with an id


def ends_with_id(text):
    return text[payload.ID_PLACE] == payload.ID_FIELD


def test_a_payload_that_ends_with_its_id_has_no_field_behind_it():
    job = Job("a", [{"id": ids.new_id()}], {"id": ids.new_id()}, ids.new_id())

    assert ends_with_id(payload.encode(job))
    for field in ({"crashes": 1}, {"retry_of": ids.new_id()}, {"unique": "queued:x"}):
        assert not ends_with_id(payload.encode(structs.replace(job, **field)))


@pytest.mark.parametrize("args", [[{"id": "x" * 22}], ['","id":"' + "x" * 22], [], ["x" * 22]])
def test_a_payload_without_an_id_does_not_end_with_one(args):
    assert not ends_with_id(payload.encode(Job("a", args)))
