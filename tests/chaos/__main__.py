"""Run the chaos and say what has become of every job; exit status 1 if one is lost, or anything is odd."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

import django

from tests.chaos.accounts import Account, draw_up, life_of
from tests.chaos.jobs import QUEUES
from tests.chaos.monkey import KEYS, Monkey
from tests.chaos.site import SETTINGS, Site

DRAIN_SECONDS = 90
LEAVE_SECONDS = 20
SHOWN_LOST = 10


def main() -> int:
    options = read_options()
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    django.setup()
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-chaos-"))
    site = Site(folder / "site", options.producers)
    os.environ["REDIS_URL"] = site.redis.url
    monkey = Monkey(site, options.seed)
    try:
        monkey.play(options.minutes * 60)
        complaints = end(site, monkey)
        account = draw_up(site.client)
    finally:
        site.close()
    complaints += [*account.complaints, *too_little(monkey, account)]
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
    parser.add_argument("--keep", action="store_true", help="Keep the logs and ledgers of a run in order.")
    return parser.parse_args()


def end(site: Site, monkey: Monkey) -> list[str]:
    """Let the site recover, finish its jobs and leave; return what it did not manage."""
    site.stop_producers()
    monkey.calm_down()
    site.revive()
    complaints = list(site.ended_by_themselves)
    if not drained(site):
        complaints.append(f"jobs still wait, or are in flight, after {DRAIN_SECONDS} s without a fault")
    for tree in site.trees:
        tree.signal(signal.SIGTERM)
    for tree in site.trees:
        if (status := tree.wait(LEAVE_SECONDS)) != 0:
            complaints.append(f"{tree.log_path.name} ended with status {status}")
    return complaints


def drained(site: Site) -> bool:
    """Wait until no job waits and none is in flight; tell whether that came in time."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        with site.client.pipeline(transaction=True) as pipe:
            for queue in QUEUES:
                pipe.llen(KEYS.queue(queue))
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


def too_little(monkey: Monkey, account: Account) -> list[str]:
    """Complain of a run that proves nothing."""
    complaints = [
        f"the monkey never did {fault.__name__}"
        for fault in monkey.faults()
        if not monkey.done[fault.__name__]
    ]
    if account.performed < account.enqueued / 2 or account.enqueued < 100:
        complaints.append("too few jobs were enqueued and performed for the run to prove anything")
    return complaints


def report(account: Account, monkey: Monkey, complaints: list[str], folder: Path) -> None:
    for name, times in sorted(monkey.done.items()):
        sys.stdout.write(f"{name}: {times}\n")
    for name in (*account.lost[:SHOWN_LOST], *account.invented[:SHOWN_LOST]):
        sys.stdout.write(f"--- {name}\n{life_of(name, folder)}\n")
    for complaint in complaints:
        sys.stdout.write(f"wrong: {complaint}\n")


if __name__ == "__main__":
    sys.exit(main())
