"""Functions that the settings JOBQUEUE_CAN_VIEW and JOBQUEUE_CAN_OPERATE name in tests."""

from __future__ import annotations

from typing import Any


def anybody(user: Any) -> bool:
    return True


def nobody(user: Any) -> bool:
    return False
