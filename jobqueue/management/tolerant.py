"""Commands that begin although an entry of the schedule is bad, which stops no other."""

from __future__ import annotations

from typing import Any

from django.core.checks import CRITICAL, CheckMessage, run_checks
from django.core.management.base import BaseCommand, SystemCheckError

from jobqueue.checks import BAD_ENTRY


class TolerantCommand(BaseCommand):
    """Shows what the system checks find, and begins unless there are errors beside those of the schedule."""

    def check(self, **options: Any) -> None:  # type: ignore[override]  # Django calls it so
        super().check(**{**options, "fail_level": CRITICAL})
        if errors := [message for message in run_checks() if _stops(message)]:
            raise SystemCheckError("\n".join(["System check identified some issues:", *map(str, errors)]))


def _stops(message: CheckMessage) -> bool:
    return message.is_serious() and not message.is_silenced() and message.id != BAD_ENTRY
