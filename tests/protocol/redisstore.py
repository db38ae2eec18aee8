"""The real scripts on a real Redis behind the model's methods, alone and in step with the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis

from jobqueue import failure, payload, recovery
from jobqueue.connection import client, keys
from jobqueue.exceptions import RedisFull, RunLost
from jobqueue.failure import Failure
from jobqueue.inspection.failures import upwards
from jobqueue.link import Link
from jobqueue.payload import Job
from jobqueue.scripts import load
from jobqueue.store import failures, queues, runs
from jobqueue.store.delivery import Endings, Run
from tests.protocol.model import LIMIT, Claimed, Ending, Full, Held, Ledger, ModelStore, Refused, Seen

KILLED = 9
QUEUES = ("high", "low")


def parse(text: bytes) -> tuple[str, int]:
    """Return a waiting job's name and crashes."""
    job = payload.decode(text)
    return job.name, job.crashes


class RedisStore:
    """One namespace of a Redis that is emptied for it."""

    def __init__(self, connection: redis.Redis) -> None:
        self.client = connection
        self.client.flushall()
        self.link = Link()
        self.runs: dict[str, Run] = {}
        self.key = keys()

    def close(self) -> None:
        self.free()
        self.link.close()

    # Producers and their operators

    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        key = self.key
        to = [key.sent(producer), key.queue(queue), key.queues, key.wake(queue), key.wake_any]
        self.write(lambda: load("enqueue")(client(), to, [number, queue, 60, payload.encode(Job(job, []))]))

    def write(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except (redis.ResponseError, RedisFull) as error:
            if "maxmemory" not in str(error):
                raise
            raise Full from None

    def pause(self, queue: str) -> None:
        self.write(lambda: queues.pause(queue))

    def resume(self, queue: str) -> None:
        queues.resume(queue)

    def pause_all(self) -> None:
        self.write(lambda: self.client.set(self.key.pause_all, "true"))

    def resume_all(self) -> None:
        self.client.delete(self.key.pause_all)

    def remove_jobs(self, queue: str, jobs: Sequence[str]) -> int:
        return queues.remove_jobs(queue, [payload.encode(Job(job, [])) for job in jobs])

    def remove_queue(self, queue: str) -> None:
        queues.remove_queue(queue)

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

    # Workers

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
            else:
                getattr(told, ending.how).append(ending.token)
        self.refused(run, "settle", told)

    def held(self, run: str, token: int) -> recovery.Held | None:
        held = self.client.hget(self.key.inflight(self.runs[run].name), str(token))
        return recovery.read_held(token, held) if held is not None else None

    def start(self, run: str, token: int) -> None:
        self.refused(run, "start", [(token, b"{}")], Endings())

    def tokens(self, run: str) -> set[int]:
        if not self.client.zscore(self.key.runs, self.runs[run].name):
            raise Refused
        return self.runs[run].tokens()

    def recover(
        self, run: str, running: int | None, finished: Sequence[int], supervised: bool, retries: bool = False
    ) -> None:
        policy = recovery.CrashPolicy(retries=retries, max_crashes=LIMIT)
        dead = recovery.DeadWorker(
            pid=1, status=KILLED, suspects={running}, finished=finished, policy_of=lambda _: policy
        )
        judge = dead if supervised else recovery.SilentRun(lambda _: policy)
        runs.recover(self.link, self.runs[run].name, judge)

    def leave(self, run: str) -> None:
        runs.recover(self.link, self.runs[run].name, recovery.put_back)

    # Redis itself

    def forget_scripts(self) -> None:
        self.client.script_flush()

    def fill(self) -> None:
        self.client.config_set("maxmemory", 1)

    def free(self) -> None:
        self.client.config_set("maxmemory", 0)

    def seen(self) -> Seen:
        with self.client.pipeline(transaction=False) as pipe:
            for queue in QUEUES:
                pipe.lrange(self.key.queue(queue), 0, -1)
            pipe.zrange(self.key.runs, 0, -1)
            pipe.lrange(self.key.failed, 0, -1)
            pipe.smembers(self.key.paused)
            pipe.mget(self.key.pause_all, self.key.stat("processed"), self.key.stat("failed"))
            *waiting, names, failed, paused, (pause_all, processed, raised) = pipe.execute()
        return Seen(
            waiting={
                queue: [parse(t) for t in texts]
                for queue, texts in zip(QUEUES, waiting, strict=True)
                if texts
            },
            in_flight=self.in_flight([name.decode() for name in names]),
            later=[],
            failed=[(f.job.name if f.job else "", bool(f.retried_at)) for f in map(Failure.parse, failed)],
            paused={name.decode() for name in paused},
            all_paused=pause_all is not None,
            processed=int(processed or 0),
            raised=int(raised or 0),
        )

    def in_flight(self, names: Sequence[str]) -> dict[str, dict[int, Held]]:
        own = {run.name: name for name, run in self.runs.items()}
        with self.client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(self.key.inflight(name))
            held = [recovery.parse_held(fields)[1] for fields in pipe.execute()]
        return {
            own[name]: {h.token: Held(h.queue, *parse(h.payload), started=h.is_started) for h in jobs}
            for name, jobs in zip(names, held, strict=True)
        }

    def snapshot(self) -> object:
        return {key: (self.client.dump(key), self.client.pttl(key)) for key in self.client.keys("*")}

    def roll_back(self, snapshot: Any) -> None:
        self.client.flushall()
        for key, (dumped, ttl) in snapshot.items():
            self.client.restore(key, max(ttl, 0), dumped)


class Lockstep:
    """The scripts and the model take every step together: they must answer alike and leave alike."""

    def __init__(self, real: RedisStore) -> None:
        self.real = real
        self.model = ModelStore()

    @property
    def ledger(self) -> Ledger:
        return self.model.ledger

    def snapshot(self) -> object:
        return self.real.snapshot(), self.model.snapshot()

    def roll_back(self, snapshot: Any) -> None:
        real, model = snapshot
        self.real.roll_back(real)
        self.model.roll_back(model)

    def __getattr__(self, step: str) -> Callable[..., Any]:
        def both(*args: Any, **options: Any) -> Any:
            expected = outcome(getattr(self.model, step), *args, **options)
            found = outcome(getattr(self.real, step), *args, **options)
            assert found == expected, f"{step}{args}: the model says {expected}, the scripts {found}"
            if found in (Refused, Full):
                raise found
            return found

        return both


def outcome(step: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Return what a step returns, or the class of its refusal."""
    try:
        return step(*args, **options)
    except (Refused, Full) as error:
        return type(error)
