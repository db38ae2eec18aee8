from __future__ import annotations

import re

import pytest

from jobqueue import delayed
from jobqueue.exceptions import InvalidPayload
from tests.goldenfiles import values

ODD = b'{"class":"A","args":[1e15,"\\u003cb\\u003e", 1.50],"id":"x","attempts":[{"error":"caf\xc3\xa9"}]}'


def test_the_queue_stands_where_resque_scheduler_writes_it():
    payload = b'{"class":"Emailer","args":["person@example.com","Sample Subject","Hello there"]}'

    [text] = values("delayed_enqueue_at_with_queue")["resque:delayed:1900000000"]
    assert delayed.bare(payload, "high") == text.encode()


def test_our_own_fields_stand_behind_the_queue():
    assert delayed.member(b'{"class":"A","args":[],"id":"x","crashes":1}', "q") == (
        b'{"class":"A","args":[],"queue":"q","id":"x","crashes":1}'
    )


@pytest.mark.parametrize("payload", [ODD, b'{"args":[],"class":"A","id":"x"}', b'{"id":"x"}'])
def test_a_payload_comes_back_as_it_was_spelled(payload):
    found = delayed.read(delayed.member(payload, "images/große"))

    assert found.queue == "images/große"
    assert sorted(found.payload) == sorted(payload)
    assert found.id == "x"


def test_a_payload_in_the_usual_order_comes_back_byte_for_byte():
    assert delayed.read(delayed.member(ODD, "q")).payload == ODD


def test_equal_jobs_without_an_id_get_one_each():
    payload = b'{"class":"A","args":[]}'

    one, other = delayed.member(payload, "q"), delayed.member(payload, "q")

    assert one != other
    assert re.fullmatch(rb'\{"class":"A","args":\[\],"queue":"q","id":"[\w-]{22}"\}', one)


def test_an_id_that_is_no_text_is_none():
    assert len(delayed.read(delayed.member(b'{"class":"A","id":7}', "q")).id) == 22


def test_another_queue_takes_the_place_of_the_one_that_was_there():
    assert delayed.read(delayed.member(b'{"class":"A","args":[],"id":"x","queue":"old"}', "q")).queue == "q"


def test_a_text_with_half_a_character_is_read():
    found = delayed.read(b'{"class":"A","args":["\\ud800"],"queue":"q"}')

    assert found == ("q", b'{"class":"A","args":["?"]}', "")


@pytest.mark.parametrize(
    "text, complaint",
    [
        (b"{broken", "is no JSON"),
        (b"[1]", "is no job: a payload is a JSON object"),
        (b'{"class":"A","args":[]}', "names no queue"),
        (b'{"class":"A","args":[],"queue":""}', "names no queue"),
        (b'{"class":"A","args":[],"queue":7}', "names no queue"),
    ],
)
def test_what_cannot_go_to_a_queue_is_refused(text, complaint):
    with pytest.raises(InvalidPayload, match=complaint):
        delayed.read(text)


def test_a_queue_whose_name_is_no_text_takes_no_delayed_jobs():
    with pytest.raises(InvalidPayload, match=r"'\\udcff' is no valid Unicode"):
        delayed.member(b'{"class":"A","args":[]}', "\udcff")
