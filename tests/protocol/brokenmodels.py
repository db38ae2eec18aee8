"""Models that are broken on purpose."""

from __future__ import annotations

from collections.abc import Sequence

from tests.protocol.model.store import ModelStore
from tests.protocol.store import Claimed, Delayed, Ending, Held, Meanwhile


class LosesWhatIsPutBack(ModelStore):
    def _put_back(self, held: Held, crashes: int) -> None:
        pass


class PutsBackAtTheTail(ModelStore):
    def _put_back(self, held: Held, crashes: int) -> None:
        self.queues.setdefault(held.queue, []).append((held.job, crashes, held.attempts, held.call))


class PushesTwice(ModelStore):
    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        self.sent.clear()
        super().enqueue(queue, job, producer, number)


class TriesNothingAgain(ModelStore):
    def _try_later(self, held: Held) -> None:
        self.processed += 1


class TriesAgainTwice(ModelStore):
    def _try_later(self, held: Held) -> None:
        super()._try_later(held)
        self.later.append(self.later[-1])


class BringsAgainWhatIsDue(ModelStore):
    def promote(self, most: int) -> None:
        due = self.later[:most]
        super().promote(most)
        self.later += due


class BringsBareOnesBesideRuby(ModelStore):
    def promote_bare(self, until: int, most: int, meanwhile: Meanwhile | None) -> int:
        was_ruby_master, self.is_ruby_master = self.is_ruby_master, False
        brought = super().promote_bare(until, most, None)
        self.is_ruby_master = was_ruby_master or meanwhile == "Ruby takes the lock"
        return brought


class BringsBareOnesThatAreGone(ModelStore):
    def _take(self, time: int, job: Delayed) -> bool:
        super()._take(time, job)
        return True


class TakesEqualOnesForOne(ModelStore):
    def _take(self, time: int, job: Delayed) -> bool:
        is_there = super()._take(time, job)
        while super()._take(time, job):
            pass
        return is_there


class LetsTheRecoveredGoOn(ModelStore):
    def _held(self, run: str) -> dict[int, Held]:
        return self.runs.get(run, {})


class TakesAnewWhatIsClaimedAgain(ModelStore):
    def claim(self, run: str, first: int, most: int, queues: Sequence[str]) -> list[Claimed]:
        self._held(run).pop(first, None)
        return super().claim(run, first, most, queues)


class PutsBackWhatIsDone(ModelStore):
    def settle(self, run: str, endings: Sequence[Ending]) -> None:
        super().settle(run, [Ending(each.token, "back") for each in endings])


class CountsNoFailures(ModelStore):
    def _fail(self, held: Held) -> None:
        super()._fail(held)
        self.processed -= 1


class DropsTheLastCall(ModelStore):
    def _is_followed(self, holder: str, mode: str) -> bool:
        return False


class ReplacesEachTimeItIsTold(ModelStore):
    def _replace(self, queue: str, holder: str, call: str) -> bool:
        super()._replace(queue, holder, call)
        return False


class FiresEachTimeItIsTold(ModelStore):
    def fire(self, entry: str, tick: int, queue: str, job: str) -> bool:
        if entry in self.fired:
            self.fired[entry] = 0
        return super().fire(entry, tick, queue, job)


BROKEN_MODELS = [
    LosesWhatIsPutBack,
    PutsBackAtTheTail,
    PushesTwice,
    TriesNothingAgain,
    TriesAgainTwice,
    BringsAgainWhatIsDue,
    BringsBareOnesBesideRuby,
    BringsBareOnesThatAreGone,
    TakesEqualOnesForOne,
    LetsTheRecoveredGoOn,
    TakesAnewWhatIsClaimedAgain,
    PutsBackWhatIsDone,
    CountsNoFailures,
    DropsTheLastCall,
    ReplacesEachTimeItIsTold,
    FiresEachTimeItIsTold,
]
