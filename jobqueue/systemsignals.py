"""The system's signals without the enums that the standard library puts around them.

They take ten times as long as the call itself. These are for what is done for each batch, and for each fork.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any


def _bare(function: Callable[..., Any]) -> Callable[..., Any]:
    bare: Callable[..., Any] = getattr(function, "__wrapped__", function)
    return bare


handle = _bare(signal.signal)
handler_of = _bare(signal.getsignal)
mask = _bare(signal.pthread_sigmask)
