"""The account at the end: what has become of each job, told by the ledger and by the Failed list."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import redis

from jobqueue.failure import Failure
from jobqueue.keys import Keys
from tests.chaos import ledger

KEYS = Keys("resque:")
LASTING = {KEYS.queues, KEYS.failed, KEYS.stat("processed"), KEYS.stat("failed")}
FADING_SECONDS = 60
NEVER = -1
"""What Redis answers of a key that does not fade."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What has become of the jobs whose enqueueing Redis has acknowledged, and what is wrong with it."""

    enqueued: int
    performed: int
    repeated: int
    failed: int
    lost: list[str]
    invented: list[str]
    """Jobs that were performed, or failed, and that nobody has tried to enqueue."""
    complaints: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"enqueued: {self.enqueued} performed: {self.performed} repeated: {self.repeated} "
            f"failed: {self.failed} invented: {len(self.invented)} lost: {len(self.lost)}"
        )

    @property
    def is_in_order(self) -> bool:
        return not (self.lost or self.invented or self.complaints)


def draw_up(client: redis.Redis) -> Account:
    """Compare what was enqueued with what has become of it; every worker has left by now."""
    acknowledged, began, ended = map(ledger.read, (ledger.ACKNOWLEDGED, ledger.BEGAN, ledger.ENDED))
    tried, failed = ledger.read(ledger.TRIED), _failed(client)
    explained = ended.keys() | failed | ledger.read(ledger.REMOVED).keys()
    return Account(
        enqueued=len(acknowledged),
        performed=len(ended),
        repeated=sum(times > 1 for times in ended.values()),
        failed=len(failed),
        lost=sorted(acknowledged.keys() - explained),
        invented=sorted((began.keys() | failed) - tried.keys()),
        complaints=[*_left_keys(client), *_wrong_counts(client, began.total())],
    )


def life_of(name: str, folder: Path) -> str:
    """Return all that is known of a job."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return "\n".join(
        f"{path.name}: {line}"
        for path in sorted(folder.iterdir())
        if path.is_file()
        for line in path.read_text(errors="replace").splitlines()
        if word.search(line)
    )


def _failed(client: redis.Redis) -> set[str]:
    entries = cast("list[bytes]", client.lrange(KEYS.failed, 0, -1))
    jobs = [Failure.parse(raw).job for raw in entries]
    return {str(job.args[0]) for job in jobs if job}


def _left_keys(client: redis.Redis) -> list[str]:
    """Complain of keys that outlive their use."""
    names = sorted(name.decode() for name in cast("list[bytes]", client.keys("*")))
    return [
        f"the key {name} was left behind" for name in names if name not in LASTING and not fades(client, name)
    ]


def fades(client: redis.Redis, name: str) -> bool:
    """Tell whether a key goes by itself soon, or has gone by now."""
    seconds = cast("int", client.ttl(name))
    return seconds != NEVER and seconds <= FADING_SECONDS


def _wrong_counts(client: redis.Redis, began: int) -> list[str]:
    """Complain of counters that tell of more than has happened."""
    processed, failed = (
        int(cast("bytes", client.get(KEYS.stat(name))) or 0) for name in ("processed", "failed")
    )
    # A job may begin more often than it is counted: each repetition begins, and one of them counts
    if failed <= processed <= began:
        return []
    return [f"counted are {processed} processed and {failed} failed jobs, and {began} have begun"]
