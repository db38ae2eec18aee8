"""One Redis: what stands in it, and what happens to all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis

from jobqueue import locks, payload
from jobqueue.connection import keys
from jobqueue.exceptions import RedisFull
from jobqueue.failure import Failure
from jobqueue.held import parse_held
from jobqueue.keys import to_text
from jobqueue.link import Link
from jobqueue.masterlock import master_lock
from jobqueue.store.delivery import Run
from tests.protocol.redisstore.texts import name_of, parse, parse_delayed
from tests.protocol.store import QUEUES, Delayed, Full, Held, Seen, equals


class State:
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

    def write(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except (redis.ResponseError, RedisFull) as error:
            if "maxmemory" not in str(error):
                raise
            raise Full from None

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
            pipe.zrange(self.key.delayed_times, 0, -1)
            pipe.keys(self.key.timestamps("*"))
            pipe.exists(master_lock(self.key))
            *waiting, names, failed, paused, counts, later, held, fired, entries, times, indexes, master = (
                pipe.execute()
            )
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
            bare=self.bare([to_text(time) for time in times], [to_text(index) for index in indexes]),
            is_ruby_master=bool(master),
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

    def bare(self, times: Sequence[str], indexes: Sequence[str]) -> dict[int, list[Delayed]]:
        with self.client.pipeline(transaction=False) as pipe:
            for time in times:
                pipe.lrange(self.key.delayed(time), 0, -1)
            for index in indexes:
                pipe.smembers(index)
            found = pipe.execute()
        jobs = dict(zip(times, found, strict=False))
        self.check_indexes(jobs, dict(zip(indexes, found[len(times) :], strict=True)))
        return {int(time): [parse_delayed(text) for text in texts] for time, texts in jobs.items()}

    def check_indexes(self, jobs: dict[str, list[bytes]], indexes: dict[str, set[bytes]]) -> None:
        """Ruby's index tells of each text for which times it waits, and of nothing else."""
        waiting: dict[str, set[bytes]] = {}
        for time, texts in jobs.items():
            for text in texts:
                waiting.setdefault(self.key.timestamps(text.decode()), set()).add(f"delayed:{time}".encode())
        assert indexes == waiting

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
