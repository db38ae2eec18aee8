"""Ids of jobs: they sort by time, fit in a URL, cannot be guessed and tell when the job was enqueued.

An id is a number of 132 bits, microseconds since the epoch (54 bits, until the year 2540) before
78 random bits, in base 64 with digits that sort like their values: nine characters of time, thirteen
of chance.
"""

from __future__ import annotations

import os
import time
from binascii import b2a_base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

LENGTH = 22
_TIME_LENGTH = 9
_CHANCE_BYTES = 10
_DRAWN_AT_ONCE = 1000
_DIGITS = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_DIGITS = bytes.maketrans(_BASE64, _DIGITS.encode())
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id() -> str:
    """Return an id for a job that is enqueued now."""
    return _id(os.urandom(_CHANCE_BYTES))


def new_ids() -> Iterator[str]:
    """Yield an id for each job of many, as of the moment when it is asked for."""
    while True:
        chance = os.urandom(_CHANCE_BYTES * _DRAWN_AT_ONCE)
        for start in range(0, len(chance), _CHANCE_BYTES):
            yield _id(chance[start : start + _CHANCE_BYTES])


def _id(chance: bytes) -> str:
    microseconds = time.time_ns() // 1000
    bits = (microseconds << 80 | int.from_bytes(chance, "big")) << 10
    return b2a_base64(bits.to_bytes(18, "big"))[:LENGTH].translate(_TO_DIGITS).decode()


def enqueued_at(id: str) -> datetime | None:
    """Return the moment at which ``new_id`` made this id, in UTC; None if it made no such id."""
    if len(id) != LENGTH or not _VALUES.keys() >= set(id):
        return None
    microseconds = 0
    for digit in id[:_TIME_LENGTH]:
        microseconds = microseconds << 6 | _VALUES[digit]
    return _EPOCH + timedelta(microseconds=microseconds)
