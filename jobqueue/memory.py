"""How much memory this process takes now, which is not the most that it has ever taken."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

PAGE_BYTES = resource.getpagesize()
_STATM = Path("/proc/self/statm")


def resident_mb() -> float:
    """Return the resident memory in megabytes; some microseconds on Linux, some milliseconds elsewhere."""
    if _STATM.exists():
        return int(_STATM.read_bytes().split()[1]) * PAGE_BYTES / 1e6
    kilobytes = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, check=True
    ).stdout
    return int(kilobytes) * 1024 / 1e6
