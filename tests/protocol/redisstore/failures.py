"""Jobs that have failed, as operators retry and remove them."""

from __future__ import annotations

from jobqueue import failure, payload
from jobqueue.failure import Failure
from jobqueue.inspection.failures import upwards
from jobqueue.payload import Job
from jobqueue.store import failures
from tests.protocol.redisstore.state import State


class Failures(State):
    def retry(self, place: int, as_job: str, is_stale: bool) -> str:
        raw, index = self.failure(place), place + is_stale
        queue, text = Failure.parse(raw).queue, payload.encode(Job(as_job, []))
        assert self.write(lambda: failures.retry(raw, failure.retried(raw), queue, text, index=index))
        return queue

    def failure(self, place: int) -> bytes:
        raw = self.client.lindex(self.key.failed, place)
        assert isinstance(raw, bytes)
        return raw

    def remove_failure(self, place: int) -> None:
        assert failures.remove(self.failure(place))

    def clear_failures(self) -> None:
        failures.clear()

    def clear_retried(self, meanwhile: int | None) -> int:
        if meanwhile is None:
            return failures.clear_retried()
        retried = [each for each in next(upwards(0)) if each.failure.retried_at]
        self.remove_failure(meanwhile)
        return failures._remove(retried) if retried else 0
