"""The real scripts on a real Redis behind the model's methods, alone and in step with the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis

from jobqueue import delayed, failure, locks, payload, recovery, retrying
from jobqueue.connection import client, keys
from jobqueue.exceptions import RedisFull, RunLost
from jobqueue.failure import Failure
from jobqueue.held import Held as HeldJob
from jobqueue.held import parse_held, read_held
from jobqueue.inspection.delayed import DelayedJob
from jobqueue.inspection.failures import upwards
from jobqueue.inspection.schedule import Fired
from jobqueue.link import Link
from jobqueue.locks import Lock
from jobqueue.payload import Job
from jobqueue.retrying import Later, RetryPolicy
from jobqueue.scripts import load
from jobqueue.store import delayed as removal
from jobqueue.store import failures, promotion, queues, runs, schedule
from jobqueue.store.delivery import Endings, Run
from jobqueue.store.locks import Candidate
from jobqueue.store.schedule import Made
from jobqueue.store.unlocking import release_orphans
from tests.protocol.model import ModelStore
from tests.protocol.store import (
    LIMIT,
    Claimed,
    Ending,
    Full,
    Held,
    Ledger,
    Refused,
    Seen,
    Waiting,
    equals,
)

KILLED = 9
LATER_MS = 1_000_000_000
"""Before now, and after all the moments that the tests give to delayed jobs."""
MOVE = 'redis.call("ZREM", KEYS[1], ARGV[2]) redis.call("ZADD", KEYS[1], ARGV[1], ARGV[2])'
ALWAYS = 1_000_000
QUEUES = ("high", "low")


def parse(text: bytes) -> Waiting:
    """Return a waiting job's name, its crashes and failed attempts, and whose arguments it has."""
    job = payload.decode(text)
    return name_of(job), job.crashes, job.attempt - 1, str(job.args[0]) if job.unique else job.name


def name_of(job: Job) -> str:
    """Return what the model calls a job; a unique one that is replaced keeps its id."""
    return job.id or "" if job.unique else job.name


def candidate(job: str) -> Candidate:
    """Return a unique job."""
    digest, kind = locks.digest("unique", equals(job)), job.partition("-")[0]
    return Candidate(digest, job, payload.encode(Job("unique", [job], id=job, unique=f"{kind}:{digest}")))


def parse_delayed(member: bytes) -> tuple[str, str, int, int, str]:
    """Return the queue of a delayed job before all that."""
    found = delayed.read(member)
    return found.queue, *parse(found.payload)


def tried_later(held: HeldJob) -> Later:
    job = payload.decode(held.payload)
    # A number that may be another token, so that a script that takes it for one is found
    return retrying.later(held.payload, held.queue, job, (held.token + 1) / 1000, "ValueError", "raised")


class RedisStore:
    """One namespace of a Redis that is emptied for it."""

    def __init__(self, connection: redis.Redis) -> None:
        self.client = connection
        self.client.flushall()
        self.link = Link()
        self.runs: dict[str, Run] = {}
        self.key = keys()
        self.moments = 0

    def close(self) -> None:
        self.free()
        self.link.close()

    # Producers and their operators

    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        key = self.key
        to = [key.sent(producer), key.queue(queue), key.queues, key.wake(queue), key.wake_any]
        self.write(lambda: load("enqueue")(client(), to, [number, 60, queue, payload.encode(Job(job, []))]))

    def delay(self, queue: str, job: str, producer: str, number: int) -> None:
        key, member = self.key, delayed.member(payload.encode(Job(job, [])), queue)
        to = [key.sent(producer), key.later, key.wake_scheduler]
        self.write(lambda: load("delay")(client(), to, [number, 60, LATER_MS, member]))
        self.put_in_order()

    def enqueue_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        key = self.key
        own = [key.sent(producer), key.queue(queue), key.queues, key.wake(queue), key.wake_any]
        args = [number, 60, queue, key.prefix, mode, *candidate(job)]
        to = [*own, key.unique, key.runs]
        (holder,) = self.write(lambda: load("enqueue_unique")(client(), to, args))
        return str(holder.decode())

    def delay_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        key, (digest, id, text) = self.key, candidate(job)
        to = [key.sent(producer), key.later, key.wake_scheduler, key.unique, key.runs]
        args = [number, 60, key.prefix, mode, 0, digest, id, LATER_MS, delayed.member(text, queue), text]
        (holder,) = self.write(lambda: load("delay_unique")(client(), to, args))
        self.put_in_order()
        return str(holder.decode())

    def release_orphans(self) -> None:
        for _ in release_orphans(young_too=True):
            pass

    def take_away(self, queue: str) -> None:
        self.client.delete(self.key.queue(queue))

    def put_in_order(self) -> None:
        """Let delayed jobs be due in the order in which they came."""
        for member in self.client.zrangebyscore(self.key.later, LATER_MS, "+inf"):
            self.moments += 1
            self.client.eval(MOVE, 1, self.key.later, self.moments, member)

    def promote(self, most: int) -> None:
        promotion.promote(self.link, LATER_MS, most)

    def begin_entry(self, entry: str, tick: int) -> None:
        self.write(lambda: schedule.begin(self.link, entry, Fired(tick, "every 1ms")))

    def remove_entry(self, entry: str) -> None:
        schedule.remove(entry)

    def fire(self, entry: str, tick: int, queue: str, job: str) -> bool:
        fired, made = Fired(tick, "every 1ms"), Made(queue, payload.encode(Job(job, [])))
        if equals(job):
            digest, id, text = candidate(job)
            made = Made(queue, text, id, digest)
        fire = partial(schedule.fire, self.link, entry, fired, made, now_ms=0, config=b"")
        return bool(self.write(fire))

    def pause_entry(self, entry: str) -> None:
        self.write(lambda: schedule.pause([entry]))

    def resume_entry(self, entry: str) -> None:
        schedule.resume([entry])

    def remove_delayed(self, jobs: Sequence[str]) -> int:
        members = self.client.zrange(self.key.later, 0, -1)
        named = [each for each in members if parse_delayed(each)[1] in jobs]
        return removal.remove(DelayedJob(raw=each, moment_ms=0) for each in named)

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
        texts = self.client.lrange(self.key.queue(queue), 0, -1)
        return queues.remove_jobs(
            queue, [text for text in texts if parse(text)[:3] in [(job, 0, 0) for job in jobs]]
        )

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
            elif ending.how == "later":
                later = tried_later(held) if held else Later(b"settled before", 0)
                told.later.append((ending.token, later))
            else:
                getattr(told, ending.how).append(ending.token)
            self.note_lock(told, held, ending)
        self.refused(run, "settle", told)
        self.put_in_order()

    def note_lock(self, told: Endings, held: HeldJob | None, ending: Ending) -> None:
        """As Unsettled does for what ends, or goes back after it has begun."""
        if held and (lock := locks.lock_of(held.payload)):
            texts = dict([*told.again, *((token, later.member) for token, later in told.later)])
            how = "back" if ending.how == "again" else ending.how
            value = lock.value_after(how, held.queue, texts.get(held.token, held.payload))
            told.locks.append((held.token, lock.digest, lock.id, value))

    def held(self, run: str, token: int) -> HeldJob | None:
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

    def recover(
        self,
        run: str,
        running: int | None,
        finished: Sequence[int],
        supervised: bool,
        retries: bool = False,
        later: bool = False,
    ) -> None:
        policy = recovery.CrashPolicy(retries=retries, max_crashes=LIMIT)
        dead = recovery.DeadWorker(
            pid=1,
            status=KILLED,
            suspects={running},
            finished=finished,
            policy_of=lambda _: policy,
            overruns={running: recovery.Overrun(1, 1)} if later and running else {},
            retry_of=lambda _: RetryPolicy(retries=ALWAYS),
        )
        judge = dead if supervised else recovery.SilentRun(lambda _: policy)
        runs.recover(self.link, self.runs[run].name, judge)
        self.put_in_order()

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
            pipe.zrange(self.key.later, 0, -1)
            pipe.hvals(self.key.unique)
            pipe.hgetall(self.key.fired)
            pipe.smembers(self.key.paused_schedule)
            *waiting, names, failed, paused, counts, later, held, fired, entries = pipe.execute()
        pause_all, processed, raised = counts
        self.check_locks(dict(zip(QUEUES, waiting, strict=True)), later, held)
        return Seen(
            waiting={
                queue: [parse(t) for t in texts]
                for queue, texts in zip(QUEUES, waiting, strict=True)
                if texts
            },
            in_flight=self.in_flight([name.decode() for name in names]),
            later=[parse_delayed(member) for member in later],
            failed=[
                (name_of(f.job) if f.job else "", bool(f.retried_at)) for f in map(Failure.parse, failed)
            ],
            paused={name.decode() for name in paused},
            all_paused=pause_all is not None,
            processed=int(processed or 0),
            raised=int(raised or 0),
            locks={equals(found.id): found.id for value in held if (found := locks.holder(value))},
            fired={entry.decode(): int(value.split()[0]) for entry, value in fired.items()},
            paused_entries={entry.decode() for entry in entries},
        )

    def check_locks(self, queued: dict[str, list[bytes]], later: list[bytes], held: list[bytes]) -> None:
        """Each lock whose job waits says where, and holds its text."""
        places = [*((locks.place(queue), texts) for queue, texts in queued.items()), (locks.LATER, later)]
        found = {payload.decode(text).id: (place, text) for place, texts in places for text in texts}
        for value in held:
            holder = locks.holder(value)
            assert holder is not None
            assert found.get(holder.id, (holder.place, holder.text)) == (holder.place, holder.text)

    def in_flight(self, names: Sequence[str]) -> dict[str, dict[int, Held]]:
        own = {run.name: name for name, run in self.runs.items()}
        with self.client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(self.key.inflight(name))
            held = [parse_held(fields)[1] for fields in pipe.execute()]
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
