from __future__ import annotations

import pytest
from django.test import RequestFactory

from jobqueue.views.paging import Pager, page_number, whole_number


@pytest.mark.parametrize(
    "text, number",
    [("3", 3), ("", 1), ("0", 1), ("-1", 1), ("x", 1), ("1.5", 1), ("²", 1), ("9" * 30, 1), ("٣", 1)],
)
def test_what_is_no_page_is_the_first(text, number):
    assert page_number(RequestFactory().get("/", {"page": text})) == number


def test_a_number_has_a_limit():
    assert whole_number("100", highest=100) == 100
    assert whole_number("101", highest=100) is None


@pytest.mark.parametrize(
    "number, count, links",
    [
        (1, 0, [1]),
        (1, 20, [1]),
        (1, 21, [1, 2]),
        (1, 200, [1, 2, 3, "…", 9, 10]),
        (5, 200, [1, 2, 3, 4, 5, 6, 7, "…", 9, 10]),
        (10, 200, [1, 2, "…", 8, 9, 10]),
        (50, 20, [1]),
    ],
)
def test_links_offer_the_ends_and_the_neighbours(number, count, links):
    assert list(Pager(number=number, count=count).links) == links


def test_a_page_past_the_end_is_known():
    assert Pager(number=3, count=40).is_past_the_end
    assert not Pager(number=2, count=40).is_past_the_end
    assert not Pager(number=1, count=0).is_past_the_end
