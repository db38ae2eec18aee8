from __future__ import annotations

from datetime import timedelta

import pytest

from demo_blog.templatetags.blog import ago, opening, typeset


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "just now"),
        (1, "1 second ago"),
        (59.9, "59 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400 * 3, "3 days ago"),
        (-5, "just now"),  # clocks differ between machines
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds, said):
    assert ago(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo\n\nthree", "<p>One\ntwo</p>\n<p>three</p>"),
        ("# Head\ntext", "<h2>Head</h2>\n<p>text</p>"),
        ("#### Deep ####", "<h4>Deep</h4>"),
        ("- a\n- b\n  c", "<ul><li>a\n</li><li>b\n  c</li></ul>"),
        ("1. a\n2. b", "<ol><li>a\n</li><li>b</li></ol>"),
        ("```python\na\n\n# b\n```\nafter", "<pre>a\n\n# b</pre>\n<p>after</p>"),
        ("> a\n> `b`", "<blockquote>a\n<code>b</code></blockquote>"),
        ("| a | `b` |\n|---|---|", "<table><tr><td>a</td><td><code>b</code></td></tr></table>"),
        ("    indented", "<pre>    indented</pre>"),
        ("`x < y` and **bold**", "<p><code>x &lt; y</code> and <strong>bold</strong></p>"),
        ("[a](http://b.c/?d&e)", '<p><a href="http://b.c/?d&amp;e" rel="nofollow">a</a></p>'),
        ("[a](docs/b.md) ![c](d.png)", "<p>a c</p>"),
        ("<b onclick='x'>", "<p>&lt;b onclick=&#x27;x&#x27;&gt;</p>"),
        ("", ""),
    ],
)
def test_markdown_is_set_and_everything_else_stays_text(text, html):
    assert typeset(text) == html


def test_a_heading_that_repeats_the_title_is_left_out():
    assert typeset("# Title\n\ntext", "Title") == "<p>text</p>"


def test_many_headings_in_a_row_are_no_trouble():
    assert typeset("# a\n" * 5000).count("<h2>") == 5000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Title\n\nSome **bold** `words`\nin two lines\n\nMore", "Some bold words in two lines"),
        ("![Picture](a.png)\n\n| a |\n\n```\ncode\n```\n> said", "said"),
        ("- one\n- two", "one two"),
        ("word " * 47 + "and cut o", "word " * 47 + "and cut …"),
        ("First\n\n" + "word " * 47, "First"),
        ("# Title", ""),
        ("```\n" + "code " * 60, ""),
        ("", ""),
    ],
)
def test_an_opening_is_the_first_paragraph_in_one_line_without_marks(text, shown):
    assert opening(text) == shown
