from __future__ import annotations

from jobqueue.definition import Definition, job

__all__ = ["Definition", "job"]
