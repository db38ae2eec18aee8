"""Wait for files to become readable, however large their numbers are: ``select.select`` ends at 1,023."""

from __future__ import annotations

import select


def readable(seconds: float, *fds: int) -> list[int]:
    """Return those of some files that can be read, or are at their end; wait for the first of them."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(seconds * 1000)]
