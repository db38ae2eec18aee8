"""Equal jobs run one at a time, and none is dropped for nobody."""

from __future__ import annotations

import pytest

from tests.chaos.lives import Life
from tests.chaos.uniqueness import complaints_of

CALM = (10.0, 20.0)


def one(*, began: float, ended: float, **fields: object) -> Life:
    return Life(kind="one_at_a_time", tried=[began], began=[began], ended=[ended], **fields)  # type: ignore[arg-type]


def found(**lives: Life) -> list[str]:
    return list(complaints_of({name.replace("_", "~"): life for name, life in lives.items()}, [CALM]))


def test_equal_jobs_that_follow_each_other_are_well():
    assert found(a_1=one(began=11, ended=12), b_1=one(began=12, ended=13)) == []


def test_equal_jobs_that_overlap_are_not():
    complaints = found(a_1=one(began=11, ended=12), b_1=one(began=11.5, ended=13))
    assert complaints == ["b~1 began before a~1 had ended, and is its equal"]


def test_a_job_that_fell_with_its_process_has_ended_then():
    fallen = one(began=11, ended=14)
    fallen.began.append(13.5)
    assert found(a_1=fallen, b_1=one(began=11.5, ended=13)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"b_2": one(began=11.5, ended=13)},
        {"b_1": one(began=9.5, ended=13)},
        {"b_1": one(began=11.5, ended=13, retried=[11])},
    ],
)
def test_others_may_overlap(other: dict[str, Life]):
    assert found(a_1=one(began=11, ended=12), **other) == []


@pytest.mark.parametrize("ended", [[], [12.0], [11.5]])
def test_a_job_may_be_dropped_for_one_that_was_there(ended: list[float]):
    dropped = Life(kind="once", tried=[12.1], dropped=[(12.1, 12.2)])
    assert found(a_1=Life(kind="once", tried=[11.0], ended=ended), b_1=dropped) == []


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"a_2": Life(kind="once", tried=[11.0])},
        {"a_1": Life(kind="once", tried=[9.0], ended=[10.0])},
        {"a_1": Life(kind="once", tried=[13.0])},
    ],
)
def test_a_job_must_not_be_dropped_for_nobody(other: dict[str, Life]):
    dropped = Life(kind="once", tried=[12.1], dropped=[(12.1, 12.2)])
    assert found(b_1=dropped, **other) == ["b~1 was dropped although nobody was there who is its equal"]


def test_what_happens_while_something_is_broken_may_have_other_reasons():
    assert found(b_1=Life(kind="once", tried=[8.0], dropped=[(8.0, 8.1)])) == []
