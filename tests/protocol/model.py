"""The delivery protocol of docs/inside.md as a small pure-Python model: what the scripts do to Redis.

Beside it a ledger counts what came in, was done and was removed, which Redis does not remember job by job.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.protocol.store import LIMIT, Claimed, Ending, Full, Held, Ledger, Refused, Seen, Waiting, equals


@dataclass
class ModelStore:
    """Redis as the scripts see it."""

    queues: dict[str, list[Waiting]] = field(default_factory=dict)
    later: list[tuple[str, str, int, int, str]] = field(default_factory=list)
    """What waits for its moment, each with its queue before it; the next one first."""
    runs: dict[str, dict[int, Held]] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)
    """By run: the first token that was never claimed."""
    sent: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    all_paused: bool = False
    failures: list[tuple[str, str, bool]] = field(default_factory=list)
    """Job, queue, whether it was retried."""
    processed: int = 0
    raised: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    is_full: bool = False
    locks: dict[str, str] = field(default_factory=dict)
    """Which job holds the lock of those that are equal."""
    taken: dict[str, list[str]] = field(default_factory=dict)
    """What a stranger took away, by queue."""
    fired: dict[str, int] = field(default_factory=dict)
    """By recurring job: up to which tick it is dealt with."""
    paused_entries: set[str] = field(default_factory=set)

    def _unlock(self, job: str) -> None:
        """Its job begins, or is gone."""
        if self.locks.get(equals(job)) == job:
            del self.locks[equals(job)]

    def _lock(self, job: str) -> None:
        """A job waits again, and has its lock again if that is free."""
        if equals(job):
            self.locks.setdefault(equals(job), job)

    def _write(self) -> None:
        if self.is_full:
            raise Full

    def _put_back(self, held: Held, crashes: int) -> None:
        waiting = held.job, crashes, held.attempts, held.call
        self.queues.setdefault(held.queue, []).insert(0, waiting)
        self._lock(held.job)

    def _try_later(self, held: Held) -> None:
        self.later.append((held.queue, held.job, held.crashes, held.attempts + 1, held.call))
        self.processed += 1
        self._lock(held.job)

    def _fail(self, held: Held) -> None:
        self.failures.append((held.job, held.queue, False))
        self._unlock(held.job)

    def _done(self, held: Held) -> None:
        self.processed += 1
        self.ledger.done[held.job] += 1
        self._unlock(held.job)

    # Producers and their operators

    def enqueue(self, queue: str, job: str, producer: str, number: int) -> None:
        if self.sent.get(producer, 0) >= number:
            return
        self._write()
        self.queues.setdefault(queue, []).append((job, 0, 0, job))
        self.sent[producer] = number
        self.ledger.enqueued[job] += 1

    def delay(self, queue: str, job: str, producer: str, number: int) -> None:
        if self.sent.get(producer, 0) >= number:
            return
        self._write()
        self.later.append((queue, job, 0, 0, job))
        self.sent[producer] = number
        self.ledger.enqueued[job] += 1

    def _holder(self, job: str) -> str:
        """Return who holds the lock of a job's equals and waits or is in flight, "" if nobody does."""
        holder = self.locks.get(equals(job), "")
        return holder if holder in self.seen().alive() else ""

    def enqueue_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        if self.sent.get(producer, 0) >= number:
            return self._holder_again(job, mode)
        holder = self._holder(job)
        if not holder or self._is_followed(holder, mode):
            self.enqueue(queue, job, producer, number)
            self.locks[equals(job)] = job
            return ""
        if mode == "replace" and self._replace(queue, holder, job):
            self.sent[producer] = number
        return holder

    def delay_unique(self, queue: str, job: str, mode: str, producer: str, number: int) -> str:
        if self.sent.get(producer, 0) >= number:
            return self._holder_again(job, mode)
        holder = self._holder(job)
        if not holder or self._is_followed(holder, mode):
            self.delay(queue, job, producer, number)
            self.locks[equals(job)] = job
            return ""
        if mode in ("replace", "debounce") and self._delay_again(queue, holder, mode, job):
            self.sent[producer] = number
        return holder

    def _is_followed(self, holder: str, mode: str) -> bool:
        """Whether the next one may wait: a worker has the holder, whose arguments cannot be changed there."""
        is_replaced = mode in ("replace", "debounce") and equals(holder).startswith("queued")
        return is_replaced and holder in self.seen().in_flight_by_name()

    def _holder_again(self, job: str, mode: str) -> str:
        """The answer to a call that comes again, as far as it can be known."""
        holder = self.locks.get(equals(job), job)
        return holder if holder != job and mode != "raise" else ""

    def _replace(self, queue: str, holder: str, call: str) -> bool:
        """What is replaced keeps its place, unless it changes its queue, and its counts begin anew."""
        place = next((n for n, (job, *_) in enumerate(self.queues.get(queue, [])) if job == holder), None)
        if place is not None:
            self._write()
            self.queues[queue][place] = (holder, 0, 0, call)
            return True
        if is_out := self._take_out(holder):
            self.queues.setdefault(queue, []).append((holder, 0, 0, call))
        return is_out

    def _delay_again(self, queue: str, holder: str, mode: str, call: str) -> bool:
        """What is debounced stays in a queue that it has reached."""
        reached = next((q for q, jobs in self.queues.items() if holder in [job for job, *_ in jobs]), None)
        if mode == "debounce" and reached is not None:
            return self._replace(reached, holder, call)
        if is_out := self._take_out(holder):
            self.later.append((queue, holder, 0, 0, call))
        return is_out

    def _take_out(self, job: str) -> bool:
        before = self.seen()
        self.later = [each for each in self.later if each[1] != job]
        self.queues = {q: [each for each in jobs if each[0] != job] for q, jobs in self.queues.items()}
        return self.seen() != before

    def release_orphans(self) -> None:
        self.locks = {key: job for key, job in self.locks.items() if self._holder(job)}

    def take_away(self, queue: str) -> None:
        """Somebody who knows nothing of locks removes a queue."""
        taken = [job for job, *_ in self.queues.pop(queue, [])]
        self.ledger.removed.update(taken)
        self.taken.setdefault(queue, []).extend(taken)

    def promote(self, most: int) -> None:
        """Bring the first ones to their queues: they are due."""
        due, self.later = self.later[:most], self.later[most:]
        for queue, *waiting in due:
            self.queues.setdefault(queue, []).append(tuple(waiting))  # type: ignore[arg-type]  # just the four

    def begin_entry(self, entry: str, tick: int) -> None:
        """Let the ticks of a recurring job count from one on, unless they count already."""
        self._write()
        self.fired.setdefault(entry, tick)

    def remove_entry(self, entry: str) -> None:
        self.fired.pop(entry, None)
        self.paused_entries.discard(entry)

    def fire(self, entry: str, tick: int, queue: str, job: str) -> bool:
        """Deal with a tick once; it enqueues nothing while its entry is paused, or where an equal job is."""
        if entry not in self.fired or self.fired[entry] >= tick:
            return False
        self._write()
        self.fired[entry] = tick
        if entry in self.paused_entries or self._holder(job):
            return False
        self.queues.setdefault(queue, []).append((job, 0, 0, job))
        self.ledger.enqueued[job] += 1
        self.ledger.ticks[entry, tick] += 1
        if equals(job):
            self.locks[equals(job)] = job
        return True

    def pause_entry(self, entry: str) -> None:
        self._write()
        self.paused_entries.add(entry)

    def resume_entry(self, entry: str) -> None:
        self.paused_entries.discard(entry)

    def remove_delayed(self, jobs: Sequence[str]) -> int:
        removed = [job for _, job, *_ in self.later if job in jobs]
        self.later = [each for each in self.later if each[1] not in removed]
        self.ledger.removed.update(removed)
        for job in removed:
            self._unlock(job)
        return len(removed)

    def pause(self, queue: str) -> None:
        self._write()
        self.paused.add(queue)

    def resume(self, queue: str) -> None:
        self.paused.discard(queue)

    def pause_all(self) -> None:
        self._write()
        self.all_paused = True

    def resume_all(self) -> None:
        self.all_paused = False

    def remove_jobs(self, queue: str, jobs: Sequence[str]) -> int:
        waiting = self.queues.get(queue, [])
        removed = [job for job, crashes, attempts, _ in waiting if job in jobs and not crashes + attempts]
        self.queues[queue] = [each for each in waiting if each[0] not in removed]
        self.ledger.removed.update(removed)
        for job in removed:
            self._unlock(job)
        return len(removed)

    def remove_queue(self, queue: str) -> None:
        removed = [job for job, *_ in self.queues.pop(queue, [])]
        self.ledger.removed.update(removed)
        self.paused.discard(queue)
        for job in [*removed, *self.taken.get(queue, [])]:
            self._unlock(job)

    def retry(self, place: int, as_job: str, is_stale: bool) -> str:
        """Enqueue the job of a failure anew and return its queue; a stale one has moved since it was read."""
        job, queue, _ = self.failures[place]
        self._write()
        self.queues.setdefault(queue, []).append((as_job, 0, 0, as_job))
        self.failures[place] = (job, queue, True)
        self.ledger.enqueued[as_job] += 1
        return queue

    def remove_failure(self, place: int) -> None:
        self.ledger.removed[self.failures.pop(place)[0]] += 1

    def clear_failures(self) -> None:
        self.ledger.removed.update(job for job, _, _ in self.failures)
        self.failures = []

    def clear_retried(self, meanwhile: int | None) -> int:
        """Remove the failures that were retried; ``meanwhile`` another one is removed by somebody else."""
        if meanwhile is not None:
            self.remove_failure(meanwhile)
        removed = [job for job, _, is_retried in self.failures if is_retried]
        self.failures = [each for each in self.failures if not each[2]]
        self.ledger.removed.update(removed)
        return len(removed)

    # Workers

    def register(self, run: str) -> None:
        self.runs[run] = {}
        self.next[run] = 1

    def register_again(self, run: str) -> None:
        """A registration that arrives late forgets nothing."""

    def _held(self, run: str) -> dict[int, Held]:
        if run not in self.runs:
            raise Refused
        return self.runs[run]

    def claim(self, run: str, first: int, most: int, queues: Sequence[str]) -> list[Claimed]:
        held = self._held(run)
        if first not in held:
            if first < self.next[run] or self.all_paused:
                return []
            queue = next((q for q in queues if q not in self.paused and self.queues.get(q)), None)
            if queue is None:
                return []
            taken, self.queues[queue] = self.queues[queue][:most], self.queues[queue][most:]
            for offset, waiting in enumerate(taken):
                held[first + offset] = Held(queue, *waiting)
            self.next[run] = first + len(taken)
        return list(self._again(held, first))

    def _again(self, held: dict[int, Held], token: int) -> list[Claimed]:
        """The jobs of one claim are of one queue."""
        claimed: list[Claimed] = []
        while token in held and (not claimed or held[token].queue == claimed[0].queue):
            job = held[token]
            claimed.append(Claimed(token, job.queue, job.job, job.crashes, job.attempts, job.call))
            token += 1
        return claimed

    def settle(self, run: str, endings: Sequence[Ending]) -> None:
        held = self._held(run)
        for ending in sorted(endings, key=lambda each: (each.how in ("back", "again"), each.token)):
            if ending.how in ("done", "failed", "later") and (job := held.pop(ending.token, None)):
                self._settle(job, ending.how)
        for ending in sorted(endings, key=lambda each: -each.token):
            if ending.how in ("back", "again") and (job := held.pop(ending.token, None)):
                self._put_back(job, job.crashes + (ending.how == "again"))

    def _settle(self, held: Held, how: str) -> None:
        if how == "done":
            self._done(held)
        elif how == "later":
            self._try_later(held)
        else:
            self.processed += 1
            self.raised += 1
            self._fail(held)

    def start(self, run: str, token: int) -> None:
        held = self._held(run)
        if token in held:
            held[token].started = True

    def begin(self, run: str, token: int, job: str) -> None:
        """From now on an equal job may wait."""
        if token in self._held(run):
            self._unlock(job)

    def tokens(self, run: str) -> set[int]:
        return set(self._held(run))

    def recover(
        self,
        run: str,
        running: int | None,
        finished: Sequence[int],
        supervised: bool,
        retries: bool = False,
        later: bool = False,
    ) -> None:
        """Take a dead run apart.

        ``supervised``: its supervisor knows which token was running and which had finished, and has ended it
        for the sake of the first if that is to be tried ``later``. Otherwise only Redis is left to tell: each
        of them may have been the one that killed. One that is known to have begun fails, unless its
        definition says ``retries``; any fails that has crashed too often.
        """
        held = self.runs.pop(run, {})
        for token, job in sorted(held.items(), reverse=True):
            has_begun = token == running if supervised else job.started
            crashes = job.crashes + (has_begun or not supervised)
            if token in finished:
                self._done(job)
            elif has_begun and later:
                self._try_later(job)
            elif (has_begun and not retries) or crashes > job.crashes and crashes >= LIMIT:
                self._fail(job)
                self.processed += supervised
            else:
                self._put_back(job, crashes)

    def leave(self, run: str) -> None:
        """End a run whose worker puts everything back."""
        for _, job in sorted(self.runs.pop(run, {}).items(), reverse=True):
            self._put_back(job, job.crashes)

    # Redis itself

    def forget_scripts(self) -> None:
        """A script is sent again with its text."""

    def fill(self) -> None:
        self.is_full = True

    def free(self) -> None:
        self.is_full = False

    def seen(self) -> Seen:
        return Seen(
            waiting={queue: list(jobs) for queue, jobs in self.queues.items() if jobs},
            in_flight={run: dict(held) for run, held in self.runs.items()},
            later=list(self.later),
            failed=[(job, is_retried) for job, _, is_retried in self.failures],
            paused=set(self.paused),
            all_paused=self.all_paused,
            processed=self.processed,
            raised=self.raised,
            locks=dict(self.locks),
            fired=dict(self.fired),
            paused_entries=set(self.paused_entries),
        )

    def snapshot(self) -> object:
        return copy.deepcopy({name: value for name, value in vars(self).items() if name != "is_full"})

    def roll_back(self, snapshot: object) -> None:
        vars(self).update(copy.deepcopy(snapshot))  # type: ignore[arg-type]
