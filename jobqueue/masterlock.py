"""The lock that tells which scheduler of Ruby is the master. Ours look at it, and never take it."""

from __future__ import annotations

import os

from jobqueue.conf import settings
from jobqueue.keys import Keys

LOCK_PREFIX_VARIABLE = "RESQUE_SCHEDULER_MASTER_LOCK_PREFIX"


def master_lock(key: Keys) -> str:
    """Return the key that tells who is the master among Ruby's schedulers."""
    prefix = settings.master_lock_prefix
    if prefix is None:
        prefix = os.environ.get(LOCK_PREFIX_VARIABLE, "")
    return key.master_lock(f"{prefix}:" if prefix else "")
