"""What an idle worker costs: commands to Redis, and processor time of each process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from benchmarks.ground import Ground, jobworker, processes, some_queues
from benchmarks.processes import by_kind, cpu_seconds, tree
from benchmarks.report import print_table
from benchmarks.targets import Verdict, at_most, print_verdicts
from jobqueue.scripts import load

QUEUES = (1, 200, 1000)
SECONDS = 30
SETTLED_SECONDS = 35
"""After the start: from then on a supervisor looks for dead runs of others, too."""
MOST_COMMANDS, MOST_PERCENT = 1.0, 0.3
KINDS = ("supervisor", "worker", "guardian")
OF_WORKERS = ("BLPOP", "claim", "SMEMBERS")
"""The commands that a worker sends while it is idle; the others are its supervisor's."""
SCRIPTS = {load(name).sha: name for name in ("claim", "heartbeat", "prune", "recover", "register", "ring")}
END = "end of the measurement"
METHOD = """\
One supervisor with one worker for each number of queues, all idle side by side for {seconds} s, from
{settled} s after their start, each on a database of its own of one Redis. Commands are what MONITOR shows of
that database, without those that scripts run; a script counts by its name. Processor time is that of all
threads of a process.
"""


class Idle(NamedTuple):
    """What a supervisor and its worker have used in a second."""

    commands: Counter[str]
    """So many in the whole time."""
    percent: dict[str, float]
    """Of one core, by kind of process."""


def run(ground: Ground, rounds: int, jobs: int) -> None:
    idle = measure(ground)
    print(f"## Idle cost\n\n{METHOD.format(seconds=SECONDS, settled=SETTLED_SECONDS)}")
    rows = []
    for queues, each in idle.items():
        rate = each.commands.total() / SECONDS
        shares = [f"{each.percent.get(kind, 0):.3f}" for kind in KINDS]
        named = ", ".join(f"{name} {count}" for name, count in sorted(each.commands.items()))
        rows.append([f"queues: {queues}", f"{rate:.2f}", *shares, named])
    heads = ["", "commands/s", *(f"{kind}, % of a core" for kind in KINDS), f"commands in {SECONDS} s"]
    print_table(heads, rows)
    print_verdicts(verdict for queues, each in idle.items() for verdict in _verdicts(queues, each))


def _verdicts(queues: int, idle: Idle) -> Iterator[Verdict]:
    rate = sum(idle.commands[name] for name in OF_WORKERS) / SECONDS
    whole = sum(idle.percent.values())
    yield at_most(1, f"queues: {queues}: a worker sends at most 1 command/s", [rate], [MOST_COMMANDS])
    yield at_most(
        1,
        f"queues: {queues}: under {MOST_PERCENT} % of a core, supervisor and guardian included",
        [whole],
        [MOST_PERCENT],
    )


def measure(ground: Ground) -> dict[int, Idle]:
    ground.redis.flushall()
    with supervisors(ground) as pids:
        ground.wait_for_idle(len(QUEUES))
        time.sleep(SETTLED_SECONDS)
        used = {pid: cpu_seconds(pid) for parent in pids for pid in tree(parent)}
        commands = commands_in(ground, SECONDS)
        percent = [
            by_kind(parent, ((pid, (cpu_seconds(pid) - used[pid]) / SECONDS * 100) for pid in tree(parent)))
            for parent in pids
        ]
    return {queues: Idle(commands[place + 1], percent[place]) for place, queues in enumerate(QUEUES)}


@contextmanager
def supervisors(ground: Ground) -> Iterator[list[int]]:
    """Run the supervisors, each on the next database from 1 on."""
    with ExitStack() as stack:
        yield [
            pid
            for place, queues in enumerate(QUEUES)
            for pid in stack.enter_context(
                processes(
                    [jobworker(1, queues=some_queues(queues))], REDIS_URL=f"{ground.url}?db={place + 1}"
                )
            )
        ]


def commands_in(ground: Ground, seconds: float) -> dict[int, Counter[str]]:
    """Return which commands clients have sent to each database."""
    commands: dict[int, Counter[str]] = {}
    with ground.redis.monitor() as monitor:
        time.sleep(seconds)
        ground.redis.echo(END)
        for seen in iter(monitor.next_command, None):
            if END in seen["command"]:
                break
            if seen["client_type"] != "lua":
                command, *arguments = seen["command"].split()
                name = SCRIPTS.get(arguments[0], command) if command == "EVALSHA" else command.upper()
                commands.setdefault(seen["db"], Counter())[name] += 1
    return commands
