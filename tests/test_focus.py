from __future__ import annotations

import pytest

from jobqueue.focus import FEW, WHOLE_LOOK_SECONDS, Focus

MANY = [f"q{number}" for number in range(FEW + 1)]


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Claims:
    """Stands for Redis: notes which queues a claim looks at, and finds jobs in some of them."""

    def __init__(self, *full):
        self.full = set(full)
        self.looks = []

    def __call__(self, queues):
        self.looks.append(queues)
        return bool(self.full.intersection(queues))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def focus(clock):
    """A focus that has just looked at all queues, and found one of them full."""
    focus = Focus(clock)
    focus.claim(MANY, Claims("q7"))
    focus.note("q7")
    return focus


def test_all_queues_are_looked_at_while_none_is_known_to_be_full():
    claims = Claims("q7")

    assert Focus().claim(MANY, claims)

    assert claims.looks == [MANY]


def test_of_many_queues_only_the_full_one_is_looked_at_for_a_moment(focus, clock):
    clock.now += WHOLE_LOOK_SECONDS * 0.99
    claims = Claims("q0", "q7")

    assert focus.claim(MANY, claims)

    assert claims.looks == [["q7"]]


def test_all_queues_are_looked_at_when_the_moment_is_over(focus, clock):
    clock.now += WHOLE_LOOK_SECONDS
    claims = Claims("q0", "q7")

    focus.claim(MANY, claims)
    focus.claim(MANY, claims)

    assert claims.looks == [MANY, ["q7"]]


def test_few_queues_are_all_looked_at_each_time(focus):
    claims = Claims("q7")

    focus.claim(MANY[:FEW], claims)

    assert claims.looks == [MANY[:FEW]]


def test_a_queue_that_has_no_more_jobs_hides_no_other(focus):
    claims = Claims("q3")

    assert focus.claim(MANY, claims)
    focus.claim(MANY, claims)

    assert claims.looks == [["q7"], MANY, MANY]


def test_a_queue_that_gave_less_than_asked_for_is_not_stayed_with(focus):
    focus.note("")
    claims = Claims("q7")

    focus.claim(MANY, claims)

    assert claims.looks == [MANY]


def test_the_queue_whose_bell_has_rung_is_looked_at_first(focus, clock):
    clock.now += 10.0
    focus.hear("q9")
    claims = Claims("q9")

    focus.claim(MANY, claims)

    assert claims.looks == [["q9"]]


def test_without_a_ring_all_queues_are_looked_at(focus):
    focus.hear("")
    claims = Claims("q7")

    focus.claim(MANY, claims)

    assert claims.looks == [MANY]


def test_nothing_is_found_where_nothing_is(focus):
    assert not focus.claim(MANY, Claims())
    assert not focus.claim(MANY, Claims())
