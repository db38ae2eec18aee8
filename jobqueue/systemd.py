"""Tell systemd how this process is, where it is a service of ``Type=notify``, without a library."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(*assignments: str) -> None:
    """Send assignments such as ``READY=1``; do nothing elsewhere, or if systemd does not take them now."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        to_systemd.setblocking(False)
        # An @ stands for a socket that is in no file system
        to_systemd.sendto("\n".join(assignments).encode(), address.replace("@", "\0", 1))
