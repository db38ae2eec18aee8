"""In which order a worker looks at its queues: always the same one, or one drawn by weights for each look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from random import Random

from jobqueue.patterns import QueueList


class QueueOrder:
    """The queues of one worker that are known, and the order of its next look at them.

    Entries with weights stand in an order that is drawn anew for each look: the first place falls to each of
    them in proportion to its weight, the next place to each of the others, and so on. So the queue of no
    entry waits for ever, and of entries that all have jobs each gets its share of the looks. Queues that
    one entry means share what it gets. An entry without a weight keeps its place.
    """

    def __init__(self, queues: QueueList, random: Random | None = None) -> None:
        self._list = queues
        self._weights = queues.weights
        self._random = random or Random()
        self._known: list[str] = []
        self._by_entry: list[list[str]] = []
        if not queues.has_patterns:
            self.learn(())

    def learn(self, known: Iterable[str]) -> bool:
        """Take in which queues there are; tell whether some of them are new here."""
        before, names = self._known, list(known)
        self._known = self._list.resolve(names)
        self._by_entry = self._list.by_entry(names) if self._weights else []
        return not set(self._known) <= set(before)

    def draw(self) -> list[str]:
        """Return the queues for the next look, in order."""
        if not self._by_entry:
            return self._known
        return [name for entry in self._drawn() for name in self._shuffled(self._by_entry[entry])]

    def _drawn(self) -> Iterator[int]:
        """Yield the entries' places; those side by side that have weights in a drawn order."""
        for has_weight, places in groupby(range(len(self._weights)), lambda place: self._weights[place] > 0):
            some = list(places)
            yield from sorted(some, key=self._luck) if has_weight else some

    def _luck(self, place: int) -> float:
        # The least of several such numbers is each one's in proportion to its weight
        return self._random.expovariate(self._weights[place])

    def _shuffled(self, names: list[str]) -> list[str]:
        return self._random.sample(names, len(names)) if len(names) > 1 else names
