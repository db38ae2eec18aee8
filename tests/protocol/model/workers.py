"""What workers have in flight, how it ends, and who deals with it when they die."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.protocol.model.state import State
from tests.protocol.store import LIMIT, Claimed, Death, Ending, Held, Refused


class Workers(State):
    def register(self, run: str) -> None:
        self.runs[run] = {}
        self.next[run] = 1

    def register_again(self, run: str) -> None:
        """A registration that arrives late forgets nothing."""

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
        told = sorted(endings, key=lambda each: each.token)
        ended = [(job, each.how) for each in told if (job := held.pop(each.token, None))]
        for job, how in ended:
            self._settle(job, how)
        for job, how in reversed(ended):
            if how in ("back", "again"):
                self._put_back(job, job.crashes + (how == "again"))
        self._change_locks(job for job, _ in ended)

    def _settle(self, held: Held, how: str) -> None:
        if how == "done":
            self._done(held)
        elif how == "later":
            self._try_later(held)
        elif how == "failed":
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

    def recover(self, run: str, death: Death) -> None:
        """Take a dead run apart."""
        held = sorted(self.runs.pop(run, {}).items())
        for token, job in reversed(held):
            has_begun = token == death.running if death.supervised else job.started
            crashes = job.crashes + (has_begun or not death.supervised)
            if token in death.finished:
                self._done(job)
            elif has_begun and death.later:
                self._try_later(job)
            elif (has_begun and not death.retries) or crashes > job.crashes and crashes >= LIMIT:
                self._fail(job)
                self.processed += death.supervised
            else:
                self._put_back(job, crashes)
        self._change_locks(job for _, job in held)

    def leave(self, run: str) -> None:
        """End a run whose worker puts everything back."""
        held = sorted(self.runs.pop(run, {}).items())
        for _, job in reversed(held):
            self._put_back(job, job.crashes)
        self._change_locks(job for _, job in held)

    def _held(self, run: str) -> dict[int, Held]:
        if run not in self.runs:
            raise Refused
        return self.runs[run]

    def _put_back(self, held: Held, crashes: int) -> None:
        waiting = held.job, crashes, held.attempts, held.call
        self.queues.setdefault(held.queue, []).insert(0, waiting)

    def _try_later(self, held: Held) -> None:
        self.later.append((held.queue, held.job, held.crashes, held.attempts + 1, held.call))
        self.processed += 1

    def _fail(self, held: Held) -> None:
        self.failures.append((held.job, held.queue, False))

    def _done(self, held: Held) -> None:
        self.processed += 1
        self.ledger.done[held.job] += 1

    def _change_locks(self, left: Iterable[Held]) -> None:
        """Those that are gone give their locks back; then those take theirs that wait again."""
        alive = self.seen().alive()
        for job in sorted((each.job for each in left), key=lambda job: job in alive):
            (self._lock if job in alive else self._unlock)(job)
