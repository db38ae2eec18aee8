"""The real scripts in step with the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.protocol.model.store import ModelStore
from tests.protocol.redisstore.store import RedisStore
from tests.protocol.store import Full, Ledger, Refused


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
