"""The system's signals without the enums that the standard library puts around them.

Those take ten times as long as the call itself, and touch many pages of memory, each of which a child has to
copy. So these are for what is done for each batch, and for each fork.
"""

from __future__ import annotations

from _signal import SIG_DFL as DEFAULT  # type: ignore[import-not-found]  # unknown to the stubs
from _signal import getsignal as handler_of
from _signal import pthread_sigmask as mask
from _signal import signal as handle

__all__ = ["DEFAULT", "handle", "handler_of", "mask"]
