"""Run the chaos and say what has become of every job; exit status 1 if one is lost, or anything is odd."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import django

from jobqueue.store import schedule
from tests.chaos import enqueueing, jobs, ledger, ticks
from tests.chaos.accounts import Account, draw_up, life_of, read_calms
from tests.chaos.lives import read_lives
from tests.chaos.monkey import CUT_OFF, FAULTS, Monkey
from tests.chaos.plan import REST
from tests.chaos.remains import KEYS, failures, left_keys, odd_lines, wrong_counts
from tests.chaos.site import SETTINGS, Site
from tests.chaos.witness import Witness

DRAIN_SECONDS = 90
LEAVE_SECONDS = 20
SHOWN = 10
TERMINATED = 128 + signal.SIGTERM
LEAST_JOBS = 100
LEAST_LOOKS = 50
LEAST_DROPPED = 10


def main() -> int:
    options = read_options()
    # Whoever is told to end takes all of the site along
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    django.setup()
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-chaos-"))
    site = Site(folder / "site", options.seed, options.producers, options.trees)
    os.environ["REDIS_URL"] = site.redis.url
    monkey = Monkey(site, options.seed)
    try:
        site.start()
        with Witness(site.client) as witness:
            monkey.play(options.minutes * 60)
            complaints = [*end(site, monkey), *seen(witness)]
        found = list(ticks.read(site.redis.folder))
        ticks.note(found)
        account = draw_up(failures(site.client))
        complaints += [*account.complaints, *ticks.complaints_of(found, read_calms())]
        complaints += [*remains(site), *too_little(monkey, account)]
    finally:
        site.close()
    report(account, monkey, complaints, site.folder)
    is_in_order = account.is_in_order and not complaints
    if is_in_order and not options.keep:
        shutil.rmtree(folder)
    else:
        sys.stdout.write(f"The logs and ledgers are in {site.folder}\n")
    sys.stdout.write(f"{account}\n")
    return 0 if is_in_order else 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="How long the monkey plays (1).")
    parser.add_argument("--seed", type=int, default=1, help="What it does, and in which order (1).")
    parser.add_argument("--producers", type=int, default=2, help="How many processes enqueue (2).")
    parser.add_argument("--trees", type=int, default=5, help="How many supervisors with workers (5).")
    parser.add_argument("--keep", action="store_true", help="Keep the logs and ledgers of a run in order.")
    options = parser.parse_args()
    if options.trees < 2:
        parser.error("--trees should be 2 or more: nobody else would recover a tree that is cut off.")
    return options


def end(site: Site, monkey: Monkey) -> list[str]:
    """Let the site recover, finish its jobs and leave; return what it did not manage."""
    monkey.rest()
    site.stop_producers()
    schedule.pause(jobs.RECURRING)
    complaints = []
    if not drained(site):
        complaints.append(f"jobs still wait, or are in flight, after {DRAIN_SECONDS} s without a fault")
    elif not all_meet(site):
        complaints.append("a worker that is alive and well performs no jobs")
    for tree in site.trees:
        tree.signal(signal.SIGTERM)
    for tree in site.trees:
        if (status := tree.wait(LEAVE_SECONDS)) != 0:
            complaints.append(f"{tree.log_path.name} ended with status {status}")
    return [*monkey.complaints, *complaints, *site.ended_by_themselves]


def seen(witness: Witness) -> Iterator[str]:
    if witness.looks < LEAST_LOOKS:
        yield f"the witness has looked {witness.looks} times only"
    for payload in sorted(witness.doubles.values())[:SHOWN]:
        yield f"stood in two places at once: {payload.decode()}"


def drained(site: Site) -> bool:
    """Wait until no job waits, now or later, and none is in flight; tell whether that came in time."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        with site.client.pipeline(transaction=True) as pipe:
            for queue in jobs.QUEUES:
                pipe.llen(KEYS.queue(queue))
            pipe.zcard(KEYS.later)
            pipe.zrange(KEYS.runs, 0, -1)
            *waiting, runs = pipe.execute()
        in_flight = [
            field.isdigit()
            for run in runs
            for field in cast("list[bytes]", site.client.hkeys(KEYS.inflight(run.decode())))
        ]
        if not any(waiting) and not any(in_flight):
            return True
        time.sleep(0.2)
    return False


def all_meet(site: Site) -> bool:
    """Let every worker perform a job at the same time; tell whether each of them came."""
    names = [f"meeting-{number}" for number in range(site.workers)]
    enqueueing.enqueue_many(jobs.meet, [(name, "meeting-", len(names)) for name in names])
    deadline = time.monotonic() + jobs.MEETING_SECONDS + LEAVE_SECONDS
    while time.monotonic() < deadline:
        if all(ledger.has(ledger.ENDED, name) for name in names):
            return True
        time.sleep(0.1)
    return False


def remains(site: Site) -> list[str]:
    """Complain of what is left in Redis and in the logs."""
    lives = read_lives(failures(site.client))
    return [*left_keys(site.client), *wrong_counts(site.client, lives), *odd_lines(site.folder)]


def too_little(monkey: Monkey, account: Account) -> list[str]:
    """Complain of a run that proves nothing."""
    complaints = [
        f"the monkey never did {fault}" for fault in (*FAULTS, REST, CUT_OFF) if not monkey.done[fault]
    ]
    if account.performed < account.enqueued / 2 or account.enqueued < LEAST_JOBS:
        complaints.append("too few jobs were enqueued and performed for the run to prove anything")
    if account.dropped < LEAST_DROPPED:
        complaints.append("too few unique jobs have met their equals for the run to prove anything")
    return complaints


def report(account: Account, monkey: Monkey, complaints: list[str], folder: Path) -> None:
    for name, times in sorted(monkey.done.items()):
        sys.stdout.write(f"{name}: {times}\n")
    for name in (*account.lost[:SHOWN], *account.invented[:SHOWN]):
        sys.stdout.write(f"--- {name}\n{life_of(name, folder)}\n")
    for complaint in complaints:
        sys.stdout.write(f"wrong: {complaint}\n")


if __name__ == "__main__":
    sys.exit(main())
