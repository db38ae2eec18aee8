"""Leave jobs that Redis did not take, or may lose, where a person finds them and can enqueue them by hand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from jobqueue import duetime, registry, signals
from jobqueue.defined import Defined
from jobqueue.exceptions import RedisUnreachable

_log = logging.getLogger("jobqueue")


def not_enqueued(
    definition: Defined[..., Any], payloads: Sequence[bytes], moment_ms: int | None, error: Exception
) -> None:
    """Leave jobs that Redis did not take to a person, and to receivers of a signal, who may enqueue them."""
    # Replayed without a look, a job that had arrived is performed twice
    is_unknown = isinstance(error, RedisUnreachable) and error.may_have_arrived
    for payload in payloads:
        _log.critical(
            "%s: %s To replay it, call %s",
            "enqueued or not, the answer is lost" if is_unknown else "not enqueued",
            error,
            _replay(definition.queue, payload, moment_ms),
        )
    signals.job_push_failed.send_robust(
        registry.get(definition.name),
        queue=definition.queue,
        payloads=list(payloads),
        error=error,
        at=duetime.as_datetime(moment_ms) if moment_ms is not None else None,
    )


def may_be_lost(
    definition: Defined[..., Any], payloads: Sequence[bytes], moment_ms: int | None, error: Exception
) -> None:
    """Leave jobs that too few replicas have to a person, who may enqueue those that get lost."""
    for payload in payloads:
        _log.critical(
            "enqueued, but a failover may lose it: %s To replay one that is lost, call %s",
            error,
            _replay(definition.queue, payload, moment_ms),
        )


def _replay(queue: str, payload: bytes, moment_ms: int | None) -> str:
    if moment_ms is None:
        return f"jobqueue.push(queue, payload): queue={queue!r} payload={payload.decode()}"
    at = duetime.as_datetime(moment_ms).isoformat()
    return f"jobqueue.push(queue, payload, at=moment): queue={queue!r} moment={at} payload={payload.decode()}"
