from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from demo_blog.models import OPENING_LENGTH

register = template.Library()

STEPS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@register.filter
def ago(age: timedelta) -> str:
    """Tell an age in its largest unit, for example ``3 minutes ago``."""
    seconds = int(age.total_seconds())
    for length, unit in STEPS:
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"


@register.filter
def typeset(text: str, title: str = "") -> SafeString:
    """Show Markdown's headings, lists, tables, quotes, code and paragraphs; everything else stays text.

    A first heading that says the same as ``title`` is left out.
    """
    blocks = list(_blocks(text))
    if blocks and blocks[0].strip("# \n") == title:
        del blocks[0]
    return format_html_join("\n", "{}", ((_block(block),) for block in blocks))


@register.filter
def opening(text: str) -> str:
    """Return the first paragraph of the beginning of a text, in one line without Markdown's marks."""
    paragraphs = (block for block in _blocks(text) if not re.match(r"\s*(#+ |```|!\[|\|)", block))
    paragraph = next(paragraphs, "")
    line = " ".join(re.sub(r"[*`]|^(?:[>+-] ?)+", "", paragraph, flags=re.MULTILINE).split())
    # A text of full length was cut anywhere, so its last word may be half a word.
    is_cut = bool(line) and len(text) >= OPENING_LENGTH and text.endswith(paragraph)
    return f"{line.rpartition(' ')[0]} …" if is_cut else line


def _blocks(text: str) -> Iterator[str]:
    """Split at blank lines and around headings; fenced code stays in one piece."""
    for number, part in enumerate(re.split(r"^```.*\n", text, flags=re.MULTILINE)):
        if number % 2:
            yield f"```\n{part}"
            continue
        spaced = re.sub(r"^(#{1,6}[ \t].*)$", r"\n\1\n", part, flags=re.MULTILINE)
        yield from filter(str.strip, re.split(r"\n[ \t]*\n", spaced))


def _block(block: str) -> SafeString:
    if block.startswith("```\n"):
        return format_html("<pre>{}</pre>", block[4:].rstrip())
    block = block.strip("\n")
    if heading := re.match(r"(#{1,6})[ \t]+(.*)", block):
        return format_html("<h{0}>{1}</h{0}>", min(len(heading[1]) + 1, 4), _inline(heading[2].strip(" #")))
    if re.match(r"[-*+] |\d+\. ", block):
        return _list(block)
    if block.startswith(">"):
        quote = "\n".join(line.removeprefix(">").strip() for line in block.splitlines())
        return format_html("<blockquote>{}</blockquote>", _inline(quote))
    if block.startswith("|"):
        return _table(block)
    if block.startswith(("    ", "\t")):
        return format_html("<pre>{}</pre>", block)
    return format_html("<p>{}</p>", _inline(block))


def _list(block: str) -> SafeString:
    items = re.split(r"^(?:[-*+]|\d+\.) ", block, flags=re.MULTILINE)[1:]
    rows = format_html_join("", "<li>{}</li>", [(_inline(item),) for item in items])
    return format_html("<{0}>{1}</{0}>", "ol" if block[0].isdigit() else "ul", rows)


def _table(block: str) -> SafeString:
    lines = [line.strip() for line in block.splitlines() if not re.fullmatch(r"[|: -]+", line)]
    cells = [line.removeprefix("|").removesuffix("|").split("|") for line in lines]
    rows = [format_html_join("", "<td>{}</td>", [(_inline(cell.strip()),) for cell in row]) for row in cells]
    return format_html("<table>{}</table>", format_html_join("", "<tr>{}</tr>", [(row,) for row in rows]))


def _inline(text: str) -> SafeString:
    """Escape the text, then mark code, strong words and links; a link into the own folder stays text."""
    html: str = escape(text)
    html = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*([^*\n]+)\*\*", r"<strong>\1</strong>", html)
    html = re.sub(r"!?\[([^\[\]]{1,200})\]\((\S{1,500}?)\)", _link, html)
    return mark_safe(html)


def _link(found: re.Match[str]) -> str:
    text, address = found.groups()
    return f'<a href="{address}" rel="nofollow">{text}</a>' if re.match(r"https?://", address) else text
