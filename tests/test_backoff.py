from __future__ import annotations

from itertools import islice

import pytest

from jobqueue import backoff


@pytest.fixture
def no_jitter(monkeypatch):
    monkeypatch.setattr(backoff.random, "uniform", lambda low, high: high)


def test_pauses_double_up_to_the_longest(no_jitter):
    pauses = islice(backoff.pauses(first=0.5, longest=3.0), 5)

    assert list(pauses) == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_the_first_pause_is_never_over_the_longest(no_jitter):
    assert next(backoff.pauses(first=9.0, longest=3.0)) == 3.0


def test_chance_shortens_a_pause_by_half_at_most():
    first = [next(backoff.pauses(first=1.0)) for _ in range(200)]

    assert all(0.5 <= pause <= 1.0 for pause in first)
    assert len(set(first)) > 1


def test_pauses_never_end():
    *_, last = islice(backoff.pauses(), 5000)

    assert 2.5 <= last <= 5.0


def test_a_job_waits_twice_as_long_after_each_attempt(no_jitter):
    assert [backoff.retry_pause(attempt) for attempt in (1, 2, 3, 10)] == [30, 60, 120, 15_360]
    assert backoff.retry_pause(11) == backoff.retry_pause(10**9) == 6 * 3600
