"""The jobs of django-q2."""

from __future__ import annotations

import sys

import django
from django.core.management import call_command

from benchmarks.peers import work


def main(kind: str, count: str) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    # Its models need Django to be set up
    from django_q.tasks import async_task  # noqa: PLC0415

    for arguments in work.calls(int(count)):
        async_task(work.KINDS[kind], *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
