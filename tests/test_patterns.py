from __future__ import annotations

import pytest

from jobqueue.exceptions import InvalidQueues
from jobqueue.patterns import QueueList
from tests.goldenfiles import golden

RECORDED = golden("queue_order")


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["queues"] or "nothing given")
def test_queues_are_worked_off_in_rubys_order(case):
    if case["exit_status"]:
        with pytest.raises(InvalidQueues):
            QueueList.parse(case["queues"])
        return

    queues = QueueList.parse(case["queues"])

    assert queues.label == case["worker_id_queues"]
    assert _popped(queues, RECORDED["filled"]) == case["popped"]


def _popped(queues, filled):
    """Take jobs as a worker does: after each one the search begins again."""
    left = {name: list(range(count)) for name, count in filled.items()}
    popped = []
    while name := next((name for name in queues.resolve(filled) if left.get(name)), None):
        popped.append([name, left[name].pop(0)])
    return popped


@pytest.mark.parametrize("text", ["", " , ", "!low", "!low, !high"])
def test_a_list_that_names_no_queue_is_refused(text):
    with pytest.raises(InvalidQueues) as caught:
        QueueList.parse(text)

    assert (
        str(caught.value)
        == f"{text!r} names no queue to look at; name some, such as 'critical,emails' or '*'"
    )


@pytest.mark.parametrize(
    ("text", "has_patterns"),
    [
        ("low,high", False),
        ("low,hi\\gh", False),
        ("low,!high", True),
        ("low,*", True),
        ("lo?", True),
        ("[lo", True),
        ("lo]", True),
        ("{low", True),
        ("low}", True),
    ],
)
def test_known_queues_are_needed_for_patterns_and_exclusions(text, has_patterns):
    assert QueueList.parse(text).has_patterns is has_patterns


def test_known_queues_are_not_read_without_patterns():
    known = iter(["a"])

    assert QueueList.parse("b,a,b").resolve(known) == ["b", "a", "b"]
    assert list(known) == ["a"]


def test_blanks_around_an_exclusion_are_trimmed():
    assert QueueList.parse("*, ! low ").resolve(["high", "low"]) == ["high"]


def test_empty_entries_are_left_out():
    assert QueueList.parse("low,,high,").label == "low,high"


def test_names_of_odd_bytes_sort_by_their_bytes():
    names = [b"\xff".decode("utf-8", "surrogateescape"), "é", "\N{GRINNING FACE}", "a"]

    assert QueueList.parse("*").resolve(names) == ["a", "é", "\N{GRINNING FACE}", names[0]]


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        # Stars and question marks
        ("*", "", True),
        ("*", "a/b", True),
        ("a*", "a", True),
        ("a*c", "abbc", True),
        ("a*c", "abcd", False),
        ("*a*b*", "xaxbx", True),
        ("*a*b*c", "xaxcb", False),
        ("**", "a", True),
        ("a?", "a", False),
        ("a?", "aé", True),
        ("a?", "a\n", True),
        ("a*", "a\nb", True),
        # A dot at the start must be named, elsewhere not
        ("?hidden", ".hidden", False),
        ("[.]hidden", ".hidden", False),
        ("[!a]hidden", ".hidden", False),
        ("\\.hid*", ".hidden", True),
        (".*", ".hidden", True),
        ("a*", "a.b", True),
        ("a/*", "a/.b", True),
        # Sets
        ("[abc]", "b", True),
        ("[a-c]", "b", True),
        ("[a-c]", "d", False),
        ("[!a-c]", "d", True),
        ("[^a-c]", "b", False),
        ("[a^]", "^", True),
        ("[a-]", "-", True),
        ("[-a]", "-", True),
        ("[a-", "a", False),
        ("[--/]", ".", False),
        ("x[--/]", "x.", True),
        ("[é-ü]", "ö", True),
        ("[ab]*[yz]", "axz", True),
        ("[*]", "*", True),
        ("[*]", "a", False),
        ("[[]", "[", True),
        ("[&&~~||]", "|", True),
        # Backwards: only the ends
        ("[c-a]", "c", True),
        ("[c-a]", "a", True),
        ("[c-a]", "b", False),
        # A set ends at the first bare bracket, even at once
        ("[]", "]", False),
        ("[]a]", "a", False),
        ("[!]", "x", True),
        ("[!]", "", False),
        ("[\\]]", "]", True),
        ("[\\a]", "a", True),
        ("[a\\-c]", "b", False),
        ("[a-\\c]", "b", True),
        # A set that does not end matches nothing
        ("[a", "a", False),
        ("[a", "[a", False),
        ("[a\\", "a", False),
        ("x[a\\]", "xa", False),
        # Escapes and ordinary characters
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("\\a*", "ab", True),
        ("a\\", "a\\", True),
        ("{a}*", "{a}b", True),
        ("a.c*", "abc", False),
        ("a+*", "a+", True),
        ("A*", "a", False),
        ("]*", "]", True),
    ],
)
def test_patterns_match_as_in_ruby(pattern, name, matches):
    queues = QueueList(entries=(pattern,), exclusions=("never",))

    assert queues.resolve([name]) == ([name] if matches else [])


def test_a_hostile_name_does_not_hold_up_the_worker():
    queues = QueueList.parse("*a*a*a*a*a*a*a*a*a*a*b")

    assert queues.resolve(["a" * 20_000]) == []


# Weights


@pytest.mark.parametrize(
    ("text", "entries", "weights"),
    [
        ("high=6,default=3,low=1", ("high", "default", "low"), (6, 3, 1)),
        (" high = 6 , low=1", ("high", "low"), (6, 1)),
        ("critical,high=6,low=1,*", ("critical", "high", "low", "*"), (0, 6, 1, 0)),
        ("mail-*=2,*=1", ("mail-*", "*"), (2, 1)),
        ("a[=]6", ("a[=]6",), ()),
        ("a[=]6=2", ("a[=]6",), (2,)),
        ("a=b=2", ("a=b",), (2,)),
        ("low,*", ("low", "*"), ()),
    ],
)
def test_weights_stand_behind_entries(text, entries, weights):
    queues = QueueList.parse(text)

    assert (queues.entries, queues.weights) == (entries, weights)


@pytest.mark.parametrize("weight", ["0", "-1", "1.5", "six", "", "1000001", "9999999999", "²", "٣"])
def test_a_weight_that_is_none_is_refused(weight):
    with pytest.raises(InvalidQueues) as caught:
        QueueList.parse(f"high={weight}")

    assert str(caught.value) == (
        f"'high={weight}' gives 'high' the weight '{weight}'; a weight is a whole number from 1 to 1000000, "
        "as in 'high=3', and an equals sign in a queue's own name is spelled '[=]'"
    )


def test_a_label_tells_no_weights():
    assert QueueList.parse("high=6,mail-*=3,low,!mail-x").label == "high,mail-*,low"


def test_weights_do_not_touch_the_order_of_the_list():
    assert QueueList.parse("low=1,high=6").resolve(()) == ["low", "high"]


def test_each_entry_has_the_queues_that_it_is_the_first_to_mean():
    queues = QueueList.parse("mail-b,mail-*,!mail-x,*")

    assert queues.by_entry(["z", "mail-a", "mail-b", "mail-x"]) == [["mail-b"], ["mail-a"], ["z"]]


def test_without_patterns_each_entry_is_its_queue_and_once():
    assert QueueList.parse("b,a,b").by_entry(()) == [["b"], ["a"], []]
