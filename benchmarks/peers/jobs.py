"""The jobs of this project."""

from __future__ import annotations

import sys

import django

from benchmarks.peers import work
from jobqueue import job

QUEUE = "work"
KINDS = {name: job(queue=QUEUE, name=name)(function) for name, function in work.KINDS.items()}


def main(kind: str, count: str) -> None:
    KINDS[kind].enqueue_many(work.calls(int(count)))


if __name__ == "__main__":
    django.setup()
    # The module that Django has found, since this one is another
    sys.modules["benchmarks.peers.jobs"].main(*sys.argv[1:])
