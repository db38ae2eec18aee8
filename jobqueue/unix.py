"""Refuse systems without fork and signals at the import, before anything less clear goes wrong."""

from __future__ import annotations

import sys


def require_unix() -> None:
    """Raise ImportError on Windows."""
    if sys.platform == "win32":
        raise ImportError(
            "jobqueue needs a Unix such as Linux or macOS, because its workers fork; "
            "on Windows, run it under WSL or in a container."
        )


require_unix()
