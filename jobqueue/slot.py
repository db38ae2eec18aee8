"""A place for one worker process under its supervisor."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobqueue.sharedpage import SharedPage


@dataclass
class Slot:
    """A place for one worker process: the one in it now, and when the next one may start."""

    page: SharedPage = field(default_factory=SharedPage)
    pid: int = 0
    started_at: float = 0.0
    """Seconds since the epoch."""
    restart_at: float = 0.0
    """Seconds of ``time.monotonic``."""
    is_finished: bool = False
    """Its worker has left, and no other shall come."""
    is_killed: bool = False
    """The supervisor ended its worker, to stop in time."""
