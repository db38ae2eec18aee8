"""A file in memory without a name: it lives as long as some process has it open, over an exec too."""

from __future__ import annotations

import os
import tempfile


def memory_file(name: str) -> int:
    """Return a file descriptor that programs run from here do not inherit; ``name`` is for people to see."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(f"jobqueue-{name}")
    with tempfile.TemporaryFile(prefix=f"jobqueue-{name}-") as file:
        return os.dup(file.fileno())
