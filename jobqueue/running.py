"""The jobs that a worker performs now, each in its lane, and what Redis knows of them."""

from __future__ import annotations

from collections.abc import Sequence

from jobqueue.sharedpage import Lane
from jobqueue.store.delivery import Claimed

HOLD_AGAIN_SECONDS = 1.0
"""How long after a hold that Redis did not answer, or does not show any more, the next one is tried."""


class Place:
    """The place of one job in a worker's memory."""

    __slots__ = ("hold_at", "is_alone", "is_held", "is_shown", "job", "lane")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.job: Claimed | None = None
        """The job that was handed out here and has not ended."""
        self.hold_at = 0.0
        """When Redis is to be told that it has begun: seconds of ``time.monotonic``."""
        self.is_alone = False
        """Nothing may begin beside it."""
        self.is_held = False
        """Redis knows that it has begun."""
        self.is_shown = False
        """Redis may show it as what this worker does: it shows one job, until any other ends."""

    def clear(self) -> None:
        """Its job has ended, or was dropped."""
        # Most jobs are neither held nor alone, and cost nothing here
        self.job = None
        if self.is_held or self.is_alone:
            self.is_alone = self.is_held = self.is_shown = False


class Places:
    """The places of a worker, one for each lane of its page."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.all = [Place(lane) for lane in lanes]

    def of(self, job: Claimed) -> Place | None:
        """Return where a job runs; None if it does not run any more."""
        for place in self.all:
            if place.job is job:
                return place
        return None

    @property
    def busy(self) -> list[Place]:
        """Those where a job runs."""
        return [place for place in self.all if place.job is not None]

    @property
    def jobs(self) -> list[Claimed]:
        """The running jobs, in the order of their claims."""
        return sorted((place.job for place in self.all if place.job is not None), key=_token)

    @property
    def done(self) -> list[Claimed]:
        """Those that have ended well in threads of their own, and were not noted yet."""
        return [job for place in self.all if (job := place.job) is not None and job.token == place.lane.done]

    @property
    def is_alone(self) -> bool:
        """A job runs beside which no other may."""
        return any(place.is_alone for place in self.all)

    def due(self, now: float) -> list[Place]:
        """Those whose jobs have run long enough for Redis to be told."""
        due = [place for place in self.busy if not place.is_shown and place.hold_at <= now]
        return sorted(due, key=lambda place: place.hold_at)

    def hide(self, now: float) -> None:
        """Redis does not show the job any more that it may have shown: it is to be told again, in a while."""
        for place in self.all:
            if place.is_shown:
                place.is_shown, place.hold_at = False, now + HOLD_AGAIN_SECONDS
                return

    def clear(self) -> None:
        """What runs was dropped."""
        for place in self.all:
            place.clear()
            place.lane.clear()


def _token(job: Claimed) -> int:
    return job.token
