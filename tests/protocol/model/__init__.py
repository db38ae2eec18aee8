"""The delivery protocol of docs/inside.md as a small pure-Python model: what the scripts do to Redis.

Beside it a ledger counts what came in, was done and was removed, which Redis does not remember job by job.
"""

from __future__ import annotations
