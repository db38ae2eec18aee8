"""Where a folder's unix socket lies, whose path must be short."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

LONGEST_SOCKET_PATH = 103
"""Bytes that fit into a unix socket's address everywhere."""


def socket_path(folder: Path) -> str:
    """Return the socket's path in ``folder``, or one in the temporary directory if that is too long."""
    path = str(folder / "redis.sock")
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    short = Path(tempfile.gettempdir()) / short_name(folder)
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ImproperlyConfigured(
            f"The path of {folder} is too long for a unix socket, and {short}, which would be used in its "
            f"place, is not a directory of your own with mode 700. Remove it, or set REDIS_URL."
        )
    return str(short / "redis.sock")


def short_name(folder: Path) -> str:
    """Return the name of the directory that stands in for a folder whose path is too long."""
    return f"jobqueue-{os.getuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
