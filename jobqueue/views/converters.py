"""Names in addresses. A queue, worker or key may have any bytes in its name, slashes and dots included."""

from __future__ import annotations

import re

PLAIN = re.compile(rb"[A-Za-z0-9_:,.*@+=-]+")
ESCAPED = re.compile(r"~([0-9A-F]{2})")


class NameConverter:
    """One path segment for any name: odd bytes are written ``~2F``, which no server or browser changes."""

    regex = r"(?:[A-Za-z0-9_:,.*@+=-]|~[0-9A-F]{2})+|~"

    def to_python(self, value: str) -> str:
        """Return the name that a path segment stands for."""
        if value == "~":
            return ""
        raw = ESCAPED.sub(lambda found: chr(int(found[1], 16)), value).encode("latin-1")
        return raw.decode("utf-8", "surrogateescape")

    def to_url(self, value: str) -> str:
        """Write a name as a path segment; ``~`` alone is the empty name, and dots alone are escaped."""
        raw = encoded(value)
        if raw in (b"", b".", b".."):
            return raw.decode().replace(".", "~2E") or "~"
        return "".join(chr(byte) if PLAIN.fullmatch(bytes([byte])) else f"~{byte:02X}" for byte in raw)


def encoded(value: str) -> bytes:
    """Return a name's bytes; half a surrogate pair, which JSON can hold, becomes ``?``."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")
