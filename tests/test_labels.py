from __future__ import annotations

from jobqueue.labels import label
from jobqueue.payload import Job


def test_labels_name_keywords_and_what_is_no_job():
    assert label(Job("A", [1], {"b": 2}), "q") == "(Job{q} | A | [1] | {'b': 2})"
    assert label(None, "q", b"[1") == "(Job{q} | b'[1')"
