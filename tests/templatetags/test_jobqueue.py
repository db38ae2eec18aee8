from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from jobqueue.inspection.jobs import SeenJob
from jobqueue.inspection.workers import Moment
from jobqueue.templatetags import jobqueue as filters


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "just now"),
        (12, "12 seconds ago"),
        (60, "1 minute ago"),
        (3 * 60 + 59, "3 minutes ago"),
        (2 * 3_600, "2 hours ago"),
        (86_400, "1 day ago"),
        (4_000 * 86_400, "4,000 days ago"),
        (-90, "in 1 minute"),
    ],
)
def test_ages_are_told_in_one_unit(seconds, text):
    assert filters.age(timezone.now() - timedelta(seconds=seconds, milliseconds=100)) == text


def test_a_moment_holds_its_full_time(settings):
    settings.TIME_ZONE = "Europe/Berlin"

    shown = filters.moment(datetime(2026, 11, 21, 0, 21, 45, tzinfo=UTC))

    assert shown.startswith('<time datetime="2026-11-21T00:21:45+00:00" title="2026-11-21 01:21:45 CET">')


def test_a_text_that_is_a_time_is_shown_as_one():
    assert filters.moment("2026/11/21 00:21:45 UTC").startswith("<time")


@pytest.mark.parametrize("value", ["<yesterday>", Moment(text="<yesterday>", at=None)])
def test_a_time_that_cannot_be_read_is_shown_as_it_stands(value):
    assert filters.moment(value) == "<yesterday>"
    assert not hasattr(filters.moment(value), "__html__")


def test_no_time_is_nothing():
    assert filters.moment(None) == ""


@pytest.mark.parametrize("number, text", [(0, "0"), (1_234_567, "1,234,567"), (None, "")])
def test_numbers_are_grouped(number, text):
    assert filters.thousands(number) == text


@pytest.mark.parametrize(
    "count, text",
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_500, "1.5 kB"),
        (999_960, "1,000.0 kB"),
        (1_000_000, "1.0 MB"),
        (12_300_000_000, "12.3 GB"),
        (10**16, "10,000.0 TB"),
        (1_000, "1.0 kB"),
    ],
)
def test_sizes_have_units(count, text):
    assert filters.size_in_bytes(count) == text


def test_long_texts_are_cut():
    assert filters.cut("abcdef", 6) == "abcdef"
    assert filters.cut("abc defgh", 5) == "abc…"


def test_bytes_are_readable():
    assert filters.readable("é".encode() + b"\xff") == r"é\xff"


def test_arguments_are_shown_as_in_a_call():
    job = SeenJob(name="A", args=["é", 3, None, {"a": [1]}], kwargs={"urgent": True})

    assert filters.arguments(job) == '"é", 3, null, {"a": [1]}, urgent=true'
    assert filters.arguments(SeenJob(name="A")) == ""


def test_of_huge_arguments_the_beginning_is_made_and_shown():
    job = SeenJob(name="A", args=[[1] * 1_000_000, "x"], kwargs={"b": 2})

    assert filters.arguments(job).startswith("[1, 1, 1,")
    assert len(filters.arguments(job)) <= filters.CALL_CHARACTERS
    assert filters.pretty(job).startswith("[\n  1,\n  1,\n")
    assert len(filters.pretty(job)) <= filters.PRETTY_CHARACTERS


def test_a_name_is_a_link_if_it_can_stand_in_an_address():
    assert filters.linked("queue", "a b", 2) == '<a href="/jobs/queues/a~20b/" class="jq-tag">a…</a>'
    assert filters.linked("queue", "<" * 1_001, 2, css="x") == '<span class="x">&lt;…</span>'


def test_bytes_are_shown_as_text_up_to_a_length():
    assert (filters.readable(b"a\xff"), filters.readable(b"ab", 2)) == ("a\\xff", "ab")
    assert filters.readable(b"abc", 2) == "ab…"


def test_arguments_in_full_have_a_line_each():
    assert filters.pretty(SeenJob(name="A", args=[[1]], kwargs={"b": 2})) == "[\n  1\n]\nb = 2"


@pytest.mark.parametrize(
    "backtrace, place",
    [
        ([], ""),
        (
            ["/usr/lib/python3.11/smtplib.py:1:in `x'", "/srv/blog/jobs.py:2:in `y'"],
            "/srv/blog/jobs.py:2:in `y'",
        ),
        (["/v/site-packages/a.py:1:in `x'", "<frozen importlib>:2"], "/v/site-packages/a.py:1:in `x'"),
        (["/bundle/gems/resque-3.0.0/lib/resque.rb:98", "/app/jobs.rb:20"], "/app/jobs.rb:20"),
    ],
)
def test_the_place_is_the_innermost_line_of_the_sites_own_code(backtrace, place):
    assert filters.place(backtrace) == place


@pytest.mark.parametrize(
    "name, value, text",
    [
        ("used_memory", "1234567", "1,234,567"),
        ("port", "16379", "16379"),
        ("redis_git_sha1", "12345678", "12345678"),
        ("ratio", "1.5", "1.5"),
        ("db0", "keys=3,expires=0", "keys=3, expires=0"),
        ("uptime", "9" * 30, "9" * 30),
    ],
)
def test_figures_of_redis_are_readable(name, value, text):
    assert filters.figure(value, name) == text


def test_names_of_figures_are_words():
    assert filters.words("used_memory_rss") == "used memory rss"


@pytest.mark.parametrize(
    "queue, is_pattern", [("emails", False), ("*", True), ("mail?", True), ("[ab]", True)]
)
def test_patterns_of_queues_are_known(queue, is_pattern):
    assert filters.is_pattern(queue) is is_pattern
