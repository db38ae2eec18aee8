from __future__ import annotations

import base64
import hashlib
import json
import traceback
from calendar import timegm

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobqueue import failure, ids, payload
from jobqueue.exceptions import InvalidPayload, JobQueueError
from jobqueue.failure import Failure
from jobqueue.payload import Job
from tests.goldenfiles import values
from tests.localtime import local_time
from tests.test_rubyjson import JSON

MOMENT = timegm((2026, 11, 21, 0, 21, 45))
RECORDED = [text.encode() for text in values("failure_list")["resque:failed"]]
PAYLOAD = b'{"class":"Emailer","args":[1]}'

PERFORMING = next(iter(failure._PERFORMING))


def entry(payload=PAYLOAD, **changes):
    texts = {
        "exception": "ValueError",
        "error": "no address",
        "backtrace": ["/app/jobs.py:20:in `deliver'"],
        "worker": "web1:4711:emails",
        "queue": "emails",
        "failed_at": MOMENT,
    }
    return failure.entry(payload, **texts | changes)


def raw(**fields):
    """Return an entry as a stranger might write it."""
    return json.dumps(json.loads(entry()) | fields).encode()


# Against what Ruby wrote


@pytest.mark.parametrize(
    ("recording", "zone", "moment"),
    [
        ("failure_list", "UTC", MOMENT),
        ("failure_with_worker_in_new_york", "America/New_York", MOMENT + 2),
    ],
)
def test_failures_are_written_as_ruby_writes_them(recording, zone, moment):
    for text in values(recording)["resque:failed"]:
        fields = json.loads(text)
        job = payload.encode(Job(fields["payload"]["class"], fields["payload"]["args"]))
        told = {name: fields[name] for name in ("exception", "error", "backtrace", "worker", "queue")}

        with local_time(zone):
            assert failure.entry(job, failed_at=moment, **told).decode() == text


@pytest.mark.parametrize("recording", ["failure_list", "failure_retried", "failure_with_worker_in_new_york"])
def test_what_ruby_wrote_is_read(recording):
    for text in values(recording)["resque:failed"]:
        fields = json.loads(text)

        read = Failure.parse(text.encode())

        assert read == Failure(
            raw=text.encode(),
            failed_at=fields["failed_at"],
            job=Job(fields["payload"]["class"], fields["payload"]["args"]),
            exception=fields["exception"],
            error=fields["error"],
            backtrace=fields["backtrace"],
            worker=fields["worker"],
            queue=fields["queue"],
            retried_at=fields.get("retried_at", ""),
        )


def test_a_retry_does_what_rubys_does():
    after = values("failure_retried")

    with local_time("UTC"):
        assert failure.retried(RECORDED[1], MOMENT).decode() == after["resque:failed"][1]
    assert failure.retry_payload(Failure.parse(RECORDED[1])).decode() == after["resque:queue:emails"][0]


def test_dirty_exits_of_ruby_are_read():
    (text,) = values("child_killed")["resque:failed"]

    read = Failure.parse(text.encode())

    assert (read.exception, read.backtrace, read.complaint) == ("Resque::DirtyExit", [], "")


# Writing


def test_a_failure_happens_now_by_default(monkeypatch):
    monkeypatch.setattr(failure.time, "time", lambda: MOMENT)

    with local_time("UTC"):
        assert entry(failed_at=None) == entry()
        assert json.loads(entry())["failed_at"] == "2026/11/21 00:21:45 UTC"


@pytest.mark.parametrize(
    "spelling",
    [
        b'{"class":"A","args":["\\u003c",1e15,0.12345678901234567890],"x":"extra"}',
        b' {"class" : null}\n',
        b"{}",
        b'{"args":["\\ud800"]}',
    ],
)
def test_a_payload_is_kept_byte_for_byte(spelling):
    written = entry(spelling)

    assert b'"payload":' + spelling + b',"exception"' in written
    json.loads(written)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"not json", "not json"),
        (b"", ""),
        (b"null", "null"),
        (b'["a"]', '["a"]'),
        (b'{"class":NaN}', '{"class":NaN}'),
        # A level more than Ruby reads, once the failure is around it
        (
            b'{"class":"a","args":' + b"[" * 99 + b"]" * 99 + b"}",
            f'{{"class":"a","args":{"[" * 99}{"]" * 99}}}',
        ),
    ],
)
def test_a_payload_that_is_no_object_is_kept_as_text(text, kept):
    assert json.loads(entry(text))["payload"] == {"class": None, "args": [], "raw": kept}


@pytest.mark.parametrize("text", [b"\xff{", b"\\xff{\xff", b"\x80" * 2_000])
def test_a_payload_that_is_no_utf_8_is_kept_byte_for_byte_and_for_people(text):
    kept = json.loads(entry(text))["payload"]

    assert (kept["class"], kept["args"]) == (None, [])
    assert kept["raw"] == text[:1_000].decode("utf-8", "backslashreplace")
    assert base64.b64decode(kept["base64"]) == text


def test_a_payload_as_deep_as_ruby_reads_in_a_failure_is_kept():
    text = b'{"class":"a","args":' + b"[" * 98 + b"]" * 98 + b"}"

    assert text in entry(text)


@pytest.mark.parametrize("text", ["a\ud800b", "a\udcffb", b"a\xffb"])
def test_characters_that_cannot_be_encoded_become_question_marks(text):
    written = json.loads(entry(exception=text, error=text, backtrace=[text], worker=text, queue=text))

    for name in ("exception", "error", "worker", "queue"):
        assert written[name] == "a?b"
    assert written["backtrace"] == ["a?b"]


@given(st.binary(), st.text(st.characters()), st.binary(), st.lists(st.text(st.characters()), max_size=3))
def test_an_entry_is_always_written_and_read(payload, exception, error, backtrace):
    written = entry(payload, exception=exception, error=error, backtrace=backtrace)

    read = Failure.parse(written)

    assert list(json.loads(written)) == [
        "failed_at",
        "payload",
        "exception",
        "error",
        "backtrace",
        "worker",
        "queue",
    ]
    assert read.backtrace == [line.encode("utf-8", "replace").decode() for line in backtrace]


# Describing an error


class Undeliverable(Exception):
    class Bounce(Exception):
        pass


class Unreadable(Exception):
    def __str__(self):
        raise RuntimeError("no")


def raised(error):
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "path", "message"),
    [
        (ValueError("no address"), "ValueError", "no address"),
        (KeyError("to"), "KeyError", "'to'"),
        (SystemExit(3), "SystemExit", "3"),
        (AssertionError(), "AssertionError", ""),
        (JobQueueError("a\nb"), "jobqueue.exceptions.JobQueueError", "a\nb"),
        (Undeliverable.Bounce("x"), "tests.test_failure.Undeliverable.Bounce", "x"),
        (Unreadable(), "tests.test_failure.Unreadable", "<Unreadable whose message cannot be read>"),
    ],
)
def test_an_error_is_described_by_class_and_message(error, path, message):
    assert failure.describe(raised(error))[:2] == (path, message)


def test_the_backtrace_begins_where_it_happened():
    error = raised(ValueError())
    frames = traceback.extract_tb(error.__traceback__)

    assert failure.describe(error)[2] == [f"{__file__}:{frames[0].lineno}:in `raised'"]


def test_the_backtrace_ends_where_jobqueue_performs():
    error = _called_from("outer", _called_from(PERFORMING, _called_from("job", _fail)))

    lines = failure.describe(raised_by(error))[2]

    assert [line.rsplit(":", 2)[0] for line in lines] == [__file__, "job"]


def test_an_error_of_jobqueue_itself_has_no_backtrace():
    code = compile("raise ValueError", PERFORMING, "exec")

    assert failure.describe(raised_by(lambda: exec(code)))[2] == []


def test_an_error_that_was_never_raised_has_no_backtrace():
    assert failure.describe(ValueError("x")) == ("ValueError", "x", [])


def _fail():
    raise ValueError


def _called_from(file, function):
    """Return a function that stands in ``file`` and calls another."""
    names = {"function": function}
    exec(compile("def caller(): function()", file, "exec"), names)
    return names["caller"]


def raised_by(function):
    try:
        function()
    except ValueError as error:
        return error


# Retrying


def test_a_failure_is_marked_as_retried_at_its_end():
    with local_time("UTC"):
        marked = failure.retried(entry(), MOMENT)

    assert marked == entry()[:-1] + b',"retried_at":"2026/11/21 00:21:45 UTC"}'


def test_a_second_retry_replaces_the_mark(monkeypatch):
    monkeypatch.setattr(failure.time, "time", lambda: MOMENT)

    assert failure.retried(failure.retried(entry(), 1)) == failure.retried(entry(), MOMENT)


@pytest.mark.parametrize("mark", [b'"2026"', b"null"])
def test_the_mark_of_another_library_is_replaced(mark):
    marked = failure.retried(entry()[:-1] + b',"retried_at":' + mark + b"}\n", MOMENT)

    assert marked == failure.retried(entry(), MOMENT)


def test_a_mark_in_a_strange_place_is_overruled():
    marked = failure.retried(b'{"retried_at":"2026","queue":"emails" }', MOMENT)

    assert Failure.parse(marked).retried_at == Failure.parse(failure.retried(entry(), MOMENT)).retried_at


@pytest.mark.parametrize("text", [b"not json", b"null", b"{}", b"\xff"])
def test_an_entry_that_is_no_failure_is_not_marked(text):
    assert failure.retried(text, MOMENT) == text


def test_a_retry_is_a_job_of_its_own_that_names_the_failed_one():
    job = Job("send", [1], {"to": "a"}, id=ids.new_id(), crashes=2, retry_of="older")

    again = payload.decode(failure.retry_payload(Failure.parse(entry(payload.encode(job)))))

    assert again == Job("send", [1], {"to": "a"}, id=again.id, retry_of=job.id)
    assert again.id > job.id


def test_a_retry_of_a_job_without_id_is_exactly_class_and_args():
    failed = Failure.parse(entry(b'{"class":"send","args":["\\u003c",{"_kwargs":{"a":1}}],"queue":"x"}'))

    assert failure.retry_payload(failed) == b'{"class":"send","args":["<",{"_kwargs":{"a":1}}]}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"not json", "names no job: its class is None, not text"),
        (b'{"class":"a","args":[1e999]}', "not JSON compliant"),
    ],
)
def test_a_failure_without_a_usable_job_is_not_retried(text, reason):
    with pytest.raises(InvalidPayload) as caught:
        failure.retry_payload(Failure.parse(entry(text)))

    assert str(caught.value).startswith("this failure cannot be retried: ")
    assert reason in str(caught.value)


# Reading whatever stands there


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"not json", "this entry is no JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"", "this entry is no JSON: Expecting value: line 1 column 1 (char 0)"),
        (
            b"\xff",
            "this entry is no JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (b"[" * 2000 + b"]" * 2000, "this entry is no JSON: it is nested more than 100 levels deep"),
        (b"null", "this entry is JSON, but no object"),
        (b"[7]", "this entry is JSON, but no object"),
        (raw(failed_at=7), "its failed_at is 7, not text"),
        (raw(worker=None), "its worker is None, not text"),
        (raw(queue=["a"]), "its queue is ['a'], not text"),
        (raw(error={"a": "b\nc"}), r"its error is {'a': 'b\nc'}, not text"),
        (raw(backtrace="a\nb"), r"its backtrace is 'a\nb', not a list"),
        (raw(backtrace=7, exception=8), "its exception is 8, not text; its backtrace is 7, not a list"),
        (raw(payload=None), "None is no job: a payload is a JSON object"),
        (raw(payload={"class": None}), "{'class': None} names no job: its class is None, not text"),
    ],
)
def test_a_broken_entry_has_a_complaint_of_one_line(text, complaint):
    assert Failure.parse(text).complaint == complaint


@pytest.mark.parametrize("name", ["exception", "error", "backtrace", "retried_at"])
def test_what_may_be_missing_gives_no_complaint(name):
    read = Failure.parse(raw(**{name: None}))

    assert not read.complaint
    assert not getattr(read, name)


def test_strange_values_are_shown_as_text():
    read = Failure.parse(raw(failed_at=7, worker=None, error=[1], backtrace=["a", 2, None]))

    assert (read.failed_at, read.worker, read.error, read.backtrace) == ("7", "", "[1]", ["a", "2", "None"])


@pytest.mark.parametrize(("backtrace", "lines"), [("a\nb", ["a", "b"]), (7, []), ({"a": 1}, [])])
def test_a_backtrace_that_is_no_list_is_read_as_far_as_possible(backtrace, lines):
    assert Failure.parse(raw(backtrace=backtrace)).backtrace == lines


@given(
    st.binary()
    | st.dictionaries(st.sampled_from(list(json.loads(entry()))), JSON).map(json.dumps).map(str.encode)
)
def test_reading_never_fails(text):
    read = Failure.parse(text)

    assert read.raw == text
    assert "\n" not in read.complaint
    assert all(isinstance(line, str) for line in [read.failed_at, read.queue, read.error, *read.backtrace])


def test_a_failure_is_named_by_its_text():
    assert Failure.parse(b"x").digest == hashlib.sha1(b"x").hexdigest()
