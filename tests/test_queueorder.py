from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from jobqueue.patterns import QueueList
from jobqueue.queueorder import QueueOrder

LOOKS = 20_000


@pytest.fixture
def make_order():
    """Return a function that makes an order whose draws are always the same ones."""

    def make(text, known=()):
        order = QueueOrder(QueueList.parse(text), Random(20261121))
        order.learn(known)
        return order

    return make


def shares(looks):
    """Return of each name how often it came, as a share of all."""
    looks = list(looks)
    return {name: count / len(looks) for name, count in Counter(looks).items()}


def first_full(order, full):
    """Return the queue that a look finds jobs in."""
    return next(name for name in order.draw() if name in full)


def test_without_weights_the_order_is_the_lists(make_order):
    order = make_order("low,high")

    assert order.draw() == ["low", "high"]
    assert order.draw() is order.draw()


def test_each_look_sees_every_queue_once(make_order):
    order = make_order("high=6,default=3,low=1")

    assert {tuple(sorted(order.draw())) for _ in range(100)} == {("default", "high", "low")}


def test_full_queues_get_looks_in_proportion_to_their_weights(make_order):
    order = make_order("high=6,default=3,low=1")

    found = shares(first_full(order, {"high", "default", "low"}) for _ in range(LOOKS))

    assert found == pytest.approx({"high": 0.6, "default": 0.3, "low": 0.1}, abs=0.015)


def test_what_an_empty_queue_does_not_need_the_others_share_in_proportion(make_order):
    order = make_order("high=6,default=3,low=1")

    found = shares(first_full(order, {"default", "low"}) for _ in range(LOOKS))

    assert found == pytest.approx({"default": 0.75, "low": 0.25}, abs=0.015)


def test_nobody_starves_beside_a_far_heavier_queue(make_order):
    order = make_order("heavy=1000,light=1")

    assert "light" in {order.draw()[0] for _ in range(LOOKS)}


def test_the_queues_of_a_pattern_share_what_the_pattern_gets(make_order):
    mails = {f"mail-{letter}" for letter in "abcd"}
    order = make_order("high=3,mail-*=1", ["high", *mails])

    found = shares(first_full(order, {"high", *mails}) for _ in range(LOOKS))

    assert found == pytest.approx({"high": 0.75, **dict.fromkeys(mails, 0.0625)}, abs=0.015)


def test_empty_queues_of_a_pattern_favour_none_of_the_others(make_order):
    order = make_order("mail-*=1", [f"mail-{number}" for number in range(10)])

    found = shares(first_full(order, {"mail-0", "mail-7"}) for _ in range(LOOKS))

    assert found == pytest.approx({"mail-0": 0.5, "mail-7": 0.5}, abs=0.015)


def test_an_entry_without_a_weight_keeps_its_place(make_order):
    order = make_order("critical,high=2,low=1,rest,late=1,later=1")

    drawn = {tuple(order.draw()) for _ in range(1000)}

    assert len(drawn) == 4
    assert {(names[0], names[3]) for names in drawn} == {("critical", "rest")}
    assert {frozenset(names[1:3]) for names in drawn} == {frozenset(("high", "low"))}


def test_a_queue_has_the_weight_of_the_first_entry_that_means_it(make_order):
    order = make_order("high=9,*=1,!low", ["high", "low", "other"])

    found = shares(order.draw()[0] for _ in range(LOOKS))

    assert found == pytest.approx({"high": 0.9, "other": 0.1}, abs=0.015)


def test_new_queues_are_told_of(make_order):
    order = make_order("*=1,!low", ["high"])

    assert not order.learn(["high", "low"])
    assert order.learn(["high", "low", "other"])
    assert sorted(order.draw()) == ["high", "other"]
    assert not order.learn(["high"])
