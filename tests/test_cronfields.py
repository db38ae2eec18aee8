from __future__ import annotations

from datetime import date

import pytest

from jobqueue.cronfields import HOUR, MINUTE, MONTH, Days, numbers
from jobqueue.exceptions import InvalidSchedule


@pytest.mark.parametrize(
    ("field", "text", "written"),
    [
        (MINUTE, "*", "*"),
        (MINUTE, "*/20", "0,20,40"),
        (MINUTE, "50-10/10", "0,10,50"),
        (HOUR, "24", "0"),
        (HOUR, "22-2", "0,1,2,22,23"),
        (HOUR, "20/2", "20,22"),
        (MONTH, "jan,mar-apr", "1,3,4"),
    ],
)
def test_fields_are_written_as_plain_numbers(field, text, written):
    assert numbers(field, text) == written


@pytest.mark.parametrize(
    ("days", "weekdays", "found"),
    [
        ("1,15", "*", [1, 15]),
        ("l", "*", [28]),
        ("-3--1", "*", [26, 27, 28]),
        ("*", "mon#1,mon#-1", [1, 22]),
        ("*", "mon#-2", [15]),
        ("10", "sun", [7, 10, 14, 21, 28]),
        ("*", "0,7", [7, 14, 21, 28]),
    ],
)
def test_days_of_a_month_are_found(days, weekdays, found):
    rule = Days.read(days, weekdays)

    assert [day for day in range(1, 29) if rule.has(date(2027, 2, day))] == found


@pytest.mark.parametrize("text", ["", "a", "-", "1-", "1//2", "1/2/3", "٣", "100", "1,,2", "*-5"])
def test_what_names_no_numbers_is_refused(text):
    with pytest.raises(InvalidSchedule):
        numbers(MINUTE, text)
