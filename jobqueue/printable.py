"""Text from Redis as a page or a terminal can show it: what is no character to see stands as an escape."""

from __future__ import annotations

import re

UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, signs that turn the direction of text, and bytes that are no UTF-8."""


def printable(text: str) -> str:
    """Show whatever is unprintable as escapes; the result is valid UTF-8."""
    return UNPRINTABLE.sub(_escaped, text)


def on_one_line(text: str) -> str:
    """Show whatever would begin a new line, too, as escapes."""
    return re.sub(r"[\t\n\r\x85\u2028\u2029]", _escaped, printable(text))


def _escaped(found: re.Match[str]) -> str:
    r"""Write a character as ``\x1b`` or ``\u202e``; a byte that is no UTF-8 as that byte."""
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
