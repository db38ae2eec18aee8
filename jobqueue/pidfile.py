"""A file that tells scripts which process to signal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def pidfile(path: str) -> Iterator[None]:
    """Hold this process's pid in a file while it runs; do nothing for an empty path."""
    if not path:
        yield
        return
    file = Path(path)
    file.write_text(str(os.getpid()), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
