"""Commands in the form in which they go to Redis; a name there may be any bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hiredis
from redis.connection import HiredisRespSerializer

from jobqueue.keys import to_bytes


class Packer(HiredisRespSerializer):
    """Packs commands for redis-py."""

    def pack(self, *args: Any) -> Any:
        try:
            return super().pack(*args)
        except UnicodeEncodeError:
            return super().pack(*map(to_bytes, args))


def packed(command: Sequence[Any]) -> bytes:
    """Return a command whose first part is one word, packed."""
    try:
        return hiredis.pack_command(tuple(command))  # type: ignore[no-any-return]
    except UnicodeEncodeError:
        # hiredis takes only text that is UTF-8
        return hiredis.pack_command(tuple(map(to_bytes, command)))  # type: ignore[no-any-return]
