"""Which of millions of texts were seen, in little memory."""

from __future__ import annotations

import os

BITS = 2**26
"""8 MB: of a million texts that were not seen one in seventy counts as seen, of ten million one in seven."""


class SeenTexts:
    """Texts that were seen. Some others count as seen too, each time different ones."""

    def __init__(self) -> None:
        self._salt = os.urandom(8)
        self._bits = bytearray(BITS // 8)

    def add(self, text: bytes) -> None:
        place = self._place(text)
        self._bits[place // 8] |= 1 << place % 8

    def __contains__(self, text: bytes) -> bool:
        place = self._place(text)
        return bool(self._bits[place // 8] & 1 << place % 8)

    def _place(self, text: bytes) -> int:
        return hash(self._salt + text) % BITS
