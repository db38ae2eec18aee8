"""What nobody has thought of: Hypothesis puts anything anywhere, and looks at pages and workers at once."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.garbage.corpus import TEXTS, TYPES
from tests.garbage.places import KEYS, PLACES
from tests.garbage.test_pages import assert_every_page_answers, staff
from tests.garbage.test_workers import GOOD, MUST_BE_REPAIRED, assert_nothing_vanished, site

__all__ = ["site", "staff"]

FIELDS = (
    "class",
    "args",
    "id",
    "crashes",
    "retry_of",
    "payload",
    "queue",
    "run_at",
    "failed_at",
    "backtrace",
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(FIELDS), inner),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(FIELDS), values | st.just("tests.sample.jobs.record"))
texts = (
    st.binary(max_size=50)
    | st.sampled_from(sorted(TEXTS.values()))
    | st.builds(lambda value: json.dumps(value).encode(), values | objects)
    | st.builds(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), objects)
    | st.builds(
        lambda start, value: start + json.dumps(value).encode(), st.sampled_from([b"0:1:q", b"1:9:"]), objects
    )
)
PLACED = st.dictionaries(
    st.sampled_from(sorted(PLACES)), st.lists(texts, max_size=3) | st.sampled_from(sorted(TYPES))
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(placed=PLACED)
def test_anything_anywhere_breaks_no_page_and_no_worker_and_nothing_vanishes(staff, site, done, placed):
    redis = site.redis
    done.clear()
    redis.flushdb()
    for name, what in placed.items():
        if isinstance(what, str):
            TYPES[what](redis, PLACES[name].key)
        for text in () if isinstance(what, str) else what:
            PLACES[name].take(redis, text)
    assert_every_page_answers(staff)

    for name in MUST_BE_REPAIRED:
        if redis.type(PLACES[name].key) != PLACES[name].type.encode():
            redis.delete(PLACES[name].key)
    redis.delete(KEYS.pause_all)
    site.enqueue(GOOD, queue=b"other")
    put = site.kept()
    site.work_off()
    site.recover()
    site.work_off()

    assert_nothing_vanished(site, put, len(done))
    assert staff.get("/jobs/failed/").status_code == 200
