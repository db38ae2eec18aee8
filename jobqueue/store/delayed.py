"""Let jobs wait for their moments: ours in ``later``, bare ones in resque-scheduler's keys, as Ruby's."""

from __future__ import annotations

from collections.abc import Sequence

from jobqueue import delayed
from jobqueue.keys import Keys
from jobqueue.store.pushing import send


def delay(queue: str, payloads: Sequence[bytes], moment_ms: int) -> None:
    """Let jobs wait until a moment, in ms since the epoch, and then go to a queue.

    Raises InvalidPayload, RedisUnreachable, and NotReplicated as ``pushing.push`` does.
    """
    pairs = [(moment_ms, delayed.member(payload, queue)) for payload in payloads]
    send("delay", _later, [], pairs, f"Delayed for {queue!r}")


def delay_bare(queue: str, payloads: Sequence[bytes], moment_ms: int) -> None:
    """Let jobs wait in resque-scheduler's keys, which know whole seconds; else as ``delay``."""
    pairs = [(moment_ms // 1000, delayed.bare(payload, queue)) for payload in payloads]
    send("delay_bare", _times, [], pairs, f"Delayed for {queue!r}")


def _later(key: Keys) -> list[str]:
    return [key.later, key.wake_scheduler]


def _times(key: Keys) -> list[str]:
    return [key.delayed_times, key.wake_scheduler, key.delayed(""), key.timestamps("")]
