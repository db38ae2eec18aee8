"""What workers have in flight, how it ends, and who deals with it when they die."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobqueue import locks, payload, recovery, retrying
from jobqueue.exceptions import RunLost
from jobqueue.held import Held, read_held
from jobqueue.locks import Lock
from jobqueue.retrying import Later, RetryPolicy
from jobqueue.store import runs
from jobqueue.store.delivery import Endings, Run
from tests.protocol.redisstore.delayed import Delayed
from tests.protocol.redisstore.texts import candidate, parse
from tests.protocol.store import LIMIT, Claimed, Death, Ending, Refused

KILLED = 9
ALWAYS = 1_000_000


def tried_later(held: Held) -> Later:
    job = payload.decode(held.payload)
    # A number that may be another token, so that a script that takes it for one is found
    return retrying.later(held.payload, held.queue, job, (held.token + 1) / 1000, "ValueError", "raised")


class Workers(Delayed):
    def register(self, run: str) -> None:
        self.runs[run] = Run(self.link, f"host:1:{run}")
        self.runs[run].register(0.0)

    def register_again(self, run: str) -> None:
        self.runs[run].register(0.0)

    def refused(self, run: str, step: str, *args: Any) -> Any:
        try:
            return getattr(self.runs[run], step)(*args)
        except RunLost:
            raise Refused from None

    def claim(self, run: str, first: int, most: int, queues: Sequence[str]) -> list[Claimed]:
        self.runs[run].next_token = first
        claimed = self.refused(run, "claim", queues, most, Endings())
        return [Claimed(job.token, job.queue, *parse(job.payload)) for job in claimed]

    def settle(self, run: str, endings: Sequence[Ending]) -> None:
        told = Endings()
        for ending in sorted(endings, key=lambda each: each.token):
            held = self.held(run, ending.token)
            if ending.how == "failed":
                entry = recovery._entry(held, "host:1:x", "raised") if held else b"settled before"
                told.failed.append((ending.token, entry))
            elif ending.how == "again":
                text = payload.with_crashes(held.payload, parse(held.payload)[1] + 1) if held else b"settled"
                told.again.append((ending.token, text))
            elif ending.how == "later":
                later = tried_later(held) if held else Later(b"settled before", 0)
                told.later.append((ending.token, later))
            else:
                getattr(told, ending.how).append(ending.token)
            self.note_lock(told, held, ending)
        self.refused(run, "settle", told)
        self.put_in_order()

    def note_lock(self, told: Endings, held: Held | None, ending: Ending) -> None:
        """As Unsettled does for what ends, or goes back after it has begun."""
        if held and (lock := locks.lock_of(held.payload)):
            texts = dict([*told.again, *((token, later.member) for token, later in told.later)])
            how = "back" if ending.how == "again" else ending.how
            value = lock.value_after(how, held.queue, texts.get(held.token, held.payload))
            told.locks.append((held.token, lock.digest, lock.id, value))

    def held(self, run: str, token: int) -> Held | None:
        held = self.client.hget(self.key.inflight(self.runs[run].name), str(token))
        return read_held(token, held) if held is not None else None

    def start(self, run: str, token: int) -> None:
        self.refused(run, "start", [(token, b"{}")], Endings())

    def begin(self, run: str, token: int, job: str) -> None:
        self.refused(run, "begin", token, Lock(candidate(job).digest, job, True))

    def tokens(self, run: str) -> set[int]:
        if not self.client.zscore(self.key.runs, self.runs[run].name):
            raise Refused
        return self.runs[run].tokens()

    def recover(self, run: str, death: Death) -> None:
        policy = recovery.CrashPolicy(retries=death.retries, max_crashes=LIMIT)
        known = recovery.DeadWorker(
            pid=1,
            status=KILLED,
            suspects={death.running},
            finished=death.finished,
            policy_of=lambda _: policy,
            overruns={death.running: recovery.Overrun(1, 1)} if death.later and death.running else {},
            retry_of=lambda _: RetryPolicy(retries=ALWAYS),
        )
        judge = known if death.supervised else recovery.SilentRun(lambda _: policy)
        runs.recover(self.link, self.runs[run].name, judge)
        self.put_in_order()

    def leave(self, run: str) -> None:
        runs.recover(self.link, self.runs[run].name, recovery.put_back)
