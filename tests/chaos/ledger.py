"""The account of the chaos run: files that outlive every process, one line for each event."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

FOLDER = "CHAOS_LEDGER"
"""Environment variable that names the folder."""
TRIED, ACKNOWLEDGED, BEGAN, ENDED, REMOVED = "tried", "acknowledged", "began", "ended", "removed"


def note(book: str, name: str) -> None:
    """Write a line. One write of one process is never mixed with another's, nor half done."""
    file = os.open(Path(os.environ[FOLDER]) / book, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{name}\n".encode())
    finally:
        os.close(file)


def read(book: str) -> Counter[str]:
    """Return how often each name stands in a book."""
    path = Path(os.environ[FOLDER]) / book
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()
