"""Whatever stands in Redis, an enqueue is done or refused, and a value is computed, or its job fails."""

from __future__ import annotations

from collections import deque

import pytest
from redis.exceptions import ResponseError

from jobqueue import BackgroundValue
from jobqueue.connection import target
from jobqueue.outcome import Kind
from jobqueue.payload import decode
from jobqueue.performing import perform
from jobqueue.store import pushing
from jobqueue.store.pushing import push
from tests.garbage.corpus import TEXTS, TYPES
from tests.garbage.places import KEYS, PLACES, PRODUCER, VALUE, WRONG_TYPES

pytestmark = pytest.mark.usefixtures("producer")

PAYLOAD = b"a payload"
NUMBERS = {b"42"}
"""The number of a later push of the same producer: no garbage, but a lie."""


@pytest.fixture
def producer(monkeypatch):
    """Let the next push be that of the producer whose key holds garbage."""
    producer = pushing.Producer(target())
    producer.name = PRODUCER
    monkeypatch.setattr(pushing, "_idle", deque([producer]))


@pytest.mark.parametrize("text", set(TEXTS.values()) - NUMBERS, ids=repr)
def test_whatever_text_stands_everywhere_an_enqueue_is_done(redis, text):
    for place in PLACES.values():
        place.take(redis, text)

    push("work", [PAYLOAD])

    assert redis.lrange(KEYS.queue("work"), 0, -1) == [text, PAYLOAD]
    assert redis.sismember(KEYS.queues, "work")


@pytest.mark.parametrize(("name", "type"), WRONG_TYPES)
def test_whatever_type_a_key_has_an_enqueue_is_done_or_refused(redis, name, type):
    TYPES[type](redis, PLACES[name].key)

    if name == "queue":
        with pytest.raises(ResponseError):
            push("work", [PAYLOAD])
        assert redis.keys() == [KEYS.queue("work").encode()]
    else:
        push("work", [PAYLOAD])
        assert redis.lrange(KEYS.queue("work"), 0, -1) == [PAYLOAD]


@pytest.fixture
def value(own_registry) -> BackgroundValue:
    return BackgroundValue(compute=lambda: 5, name=VALUE)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_whatever_text_a_value_has_it_is_read_and_computed_or_its_job_fails(redis, value, text):
    PLACES["value"].take(redis, text)

    str(value.get())
    value.refresh()

    assert performed(redis, value)


@pytest.mark.parametrize("type", sorted(TYPES.keys() - {"hash"}))
def test_whatever_type_a_value_has_it_is_read_and_its_job_fails(redis, value, type):
    TYPES[type](redis, KEYS.value(VALUE))

    assert not value.get().is_computed
    value.refresh()

    assert performed(redis, value) is Kind.FAILED


def performed(redis, value: BackgroundValue) -> Kind:
    """Perform the job that was enqueued for a value."""
    (payload,) = redis.lrange(KEYS.queue("values"), 0, -1)
    assert decode(payload).name == VALUE
    outcome = perform(payload, "values", "h:1:values")
    assert (outcome.kind is Kind.DONE) == (value.get().value == 5)
    return outcome.kind
